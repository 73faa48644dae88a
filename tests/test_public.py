"""Public configurations of many hands: each is read and equal to its class, or refused in two lines."""

from typing import Any

import pytest
from conftest import golden

from tcost import InputError, evaluate
from tcost.spec import parse_spec

FILES = golden("public")
REFUSED = {
    "ac-MiniMaxAI_MiniMax-M3",
    "ac-Qwen_Qwen3.5-27B",
    "ac-Qwen_Qwen3.5-35B-A3B",
    "ac-XiaomiMiMo_MiMo-V2-Flash",
    "ac-deepseek-ai_DeepSeek-V3.2",
    "ac-deepseek-ai_DeepSeek-V4-Flash",
    "ac-deepseek-ai_DeepSeek-V4-Pro",
    "ac-moonshotai_Kimi-K3",
    "ac-nvidia_DeepSeek-V3.2-NVFP4",
    "ac-nvidia_DeepSeek-V4-Pro-NVFP4",
    "ac-nvidia_GLM-5-NVFP4",
    "ac-nvidia_Gemma-4-26B-A4B-NVFP4",
    "ac-nvidia_Gemma-4-31B-IT-NVFP4",
    "ac-nvidia_Llama-3_3-Nemotron-Super-49B-v1",
    "ac-nvidia_NVIDIA-Nemotron-3-Super-120B-A12B-NVFP4",
    "ac-nvidia_NVIDIA-Nemotron-3-Ultra-550B-A55B-FP8",
    "ac-nvidia_NVIDIA-Nemotron-3-Ultra-550B-A55B-NVFP4",
    "ac-nvidia_NVIDIA-Nemotron-3.5-Lightning-30B-A3B-NVFP4",
    "ac-nvidia_Nemotron-H-56B-Base-8K",
    "ac-nvidia_Qwen3.6-27B-NVFP4",
    "ac-nvidia_Qwen3.6-35B-A3B-NVFP4",
    "ac-sgl-project_DeepSeek-V4-Flash-FP8",
    "ac-stepfun-ai_Step-3.7-Flash",
    "ac-stepfun-ai_Step-3.7-Flash-FP8",
    "ac-zai-org_GLM-5",
    "ac-zai-org_GLM-5-FP8",
    "ac-zai-org_GLM-5.1",
    "ac-zai-org_GLM-5.1-FP8",
    "ac-zai-org_GLM-5.2",
    "ac-zai-org_GLM-5.2-FP8",
    "blk-juesai",
    "eagle3",
    "fg-sd15-safety",
    "fg-sd3-transformer",
    "flame-delta_net_340M",
    "flame-gla_340M",
    "flame-mamba2_340M",
    "ls-qwen3-30b-2507",
    "nd-moe-test",
    "sf-deepseek-v2-lite-eagle3",
    "sf-gemma3-1b-eagle3",
    "sf-gpt-oss-20B-eagle3",
    "sf-lfm2.5-1.2b-instruct-dflash",
    "sf-llama3-8B-eagle3",
    "sf-qwen2-5-vl-7b-eagle3",
    "sf-qwen3-4b-dflash",
    "sf-qwen3-4b-eagle3",
    "sf-qwen3-8b-domino",
    "sf-qwen3.5-4b-dflash",
    "u01",
    "u05",
    "u09",
    "u10",
    "u16",
    "u20",
    "u22",
}
"""Those that are not read: of families that are lacking, of models that draft for others, and of other things."""


@pytest.mark.parametrize("case", FILES, ids=lambda case: case["name"])
def test_public_files(case: dict[str, Any]) -> None:
    """Parameters, forward and step FLOPs at 32 tokens are the class's; what is not read is answered in two lines."""
    if case["name"] in REFUSED:
        with pytest.raises(InputError) as error:
            parse_spec(case["text"], "config.json")
        assert str(error.value).count("\n") <= 1
        return
    result = evaluate(parse_spec(case["text"], "config.json"), convention="torch", context=32)
    if case["numbers"]:
        found = [result.totals.parameters, result.phases["forward"].flop, result.totals.flop]
        assert found == case["numbers"]


def test_most_are_read() -> None:
    """All of which the class could be built, and more than half of all."""
    assert not [case["name"] for case in FILES if case["numbers"] and case["name"] in REFUSED]
    assert len(FILES) - len(REFUSED) == 69
