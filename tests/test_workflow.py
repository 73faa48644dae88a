"""The workflow of examples/ci, run end to end in a repository: it fails on a spec that grew past its budget."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from junitparser import JUnitXml

from tcost import evaluate, load_spec

EXAMPLE = Path(__file__).parent.parent / "examples" / "ci"
WORKFLOW = "training-cost.yml"

STUBS = {
    "pip": 'test "$*" = "install tcost @ git+https://github.com/OWNER/tcost"',  # it is installed
    "gh": 'printf "%s\\n" "$@" >"$GH_ARGS"; cp "$5" "$GH_BODY"',
}
"""What cannot be had here: a package index, and a pull request."""


class Run(NamedTuple):
    """What a run of the workflow left behind."""

    failed: list[str]
    """The steps that failed."""
    said: str
    comment: str
    summary: str
    arguments: list[str]
    report: JUnitXml


class Repository(NamedTuple):
    """A repository whose main branch has the files of the example, and the environment of a run."""

    folder: Path
    env: dict[str, str]

    def bash(self, script: str) -> subprocess.CompletedProcess[str]:
        """Run a script as GitHub runs a step: bash that stops at the first command that fails."""
        command = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", script]
        return subprocess.run(command, cwd=self.folder, env=self.env, capture_output=True, text=True, check=False)

    def propose(self, old: str, new: str) -> Run:
        """Change the model on a branch, and run the workflow on it."""
        model = self.folder / "model.yaml"
        model.write_text(model.read_text().replace(old, new))
        assert self.bash("git checkout -qb proposal && git commit -qam proposal").returncode == 0
        failed: list[str] = []
        said = []
        for step in steps():
            if "run" in step and (not failed or step.get("if") == "always()"):
                outcome = self.bash(step["run"])
                said.append(outcome.stderr)
                if outcome.returncode:
                    failed.append(f"{step['name']}: {outcome.returncode}")
        place = self.folder.parent
        return Run(
            failed,
            "".join(said),
            (place / "body").read_text(),
            (place / "summary").read_text(),
            (place / "arguments").read_text().splitlines(),
            JUnitXml.fromfile(str(self.folder / "cost.xml")),
        )


def steps() -> list[dict[str, Any]]:
    """Return the steps of the workflow."""
    workflow = yaml.safe_load((EXAMPLE / WORKFLOW).read_text())
    found: list[dict[str, Any]] = workflow["jobs"]["cost"]["steps"]
    return found


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """Make the repository, cloned as the checkout action does, with its origin beside it."""
    stubs, origin, folder = tmp_path / "bin", tmp_path / "origin", tmp_path / "checkout"
    stubs.mkdir()
    for name, line in STUBS.items():
        (stubs / name).write_text(f"#!/bin/sh\n{line}\n")
        (stubs / name).chmod(0o755)
    env = {
        **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
        "PATH": f"{stubs}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path),
        **{f"GIT_{who}_{what}": "a@b.c" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
        "GITHUB_BASE_REF": "main",
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
        "PULL_REQUEST": "https://github.com/me/small/pull/1",
        "GH_ARGS": str(tmp_path / "arguments"),
        "GH_BODY": str(tmp_path / "body"),
    }
    made = Repository(folder, env)
    origin.mkdir()
    script = (
        f"cd {origin} && git init -qb main && cp {EXAMPLE}/model.yaml {EXAMPLE}/tcost.yaml . && git add . && "
        f"git commit -qm first && git clone -q {origin} {folder}"
    )
    assert subprocess.run(["bash", "-ec", script], env=env, check=False).returncode == 0  # noqa: S607  # bash is on the path
    return made


def test_a_spec_that_grew_past_its_budget(repository: Repository) -> None:
    """A feed-forward half as wide again fails at the check, after the comment that says what has changed."""
    run = repository.propose("d_ff: 1024", "d_ff: 1536")
    assert run.failed == ["Check budgets: 1"]
    before = evaluate(load_spec(EXAMPLE / "model.yaml"), convention="exact").totals.flop
    after = evaluate(load_spec(repository.folder / "model.yaml"), convention="exact").totals.flop
    assert f"FLOPs {before:,} to {after:,} (" in run.said
    assert "decoder.feed_forward grew most" in run.said
    assert [suite.failures for suite in run.report] == [1]
    assert run.comment == run.summary
    assert run.comment.startswith("**A training step of `small` under `bp`:** FLOPs +")
    url = "https://github.com/me/small/pull/1"
    assert run.arguments == ["pr", "comment", url, "--body-file", "comment.md", "--edit-last", "--create-if-none"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("d_ff: 1024", "d_ff: 1025", "FLOPs +"),
        ("n_decoder_layers: 6", "n_decoder_layers: 5", "FLOPs -"),
        ("description: A", "description: The", "has not changed"),
    ],
)
def test_a_spec_that_did_not(old: str, new: str, said: str, repository: Repository) -> None:
    """What grows less than it may, shrinks, or stays as it is, passes every step, and is commented all the same."""
    run = repository.propose(old, new)
    assert (run.failed, run.said) == ([], "")
    assert said in run.comment.splitlines()[0]
    assert [(suite.tests, suite.failures) for suite in run.report] == [(4, 0)]


def test_a_model_that_is_new(repository: Repository) -> None:
    """Where the other branch has no such model there is no growth, and the maxima are checked."""
    push = "git rm -q --cached model.yaml && git commit -qm gone && git push -q origin HEAD:refs/heads/without"
    assert repository.bash(push).returncode == 0
    repository.env["GITHUB_BASE_REF"] = "without"
    assert repository.bash("git add model.yaml && git commit -qm back").returncode == 0
    run = repository.propose("context_length: 256", "context_length: 2560")
    assert run.failed == ["Check budgets: 1"]
    assert "over max 50G" in run.said
    assert "has not changed" in run.comment


def test_actions_are_pinned() -> None:
    """Each action is of one commit, with its version behind it."""
    uses = re.findall(r"uses: (.*)", (EXAMPLE / WORKFLOW).read_text())
    assert len(uses) == 3
    assert all(re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", each) for each in uses)
