"use strict";
// Sorting, filtering, sums, exact integers. Numbers are BigInt throughout: the page has integers that no float holds.

const PREFIXES = ["", "k", "M", "G", "T", "P", "E", "Z", "Y", "R", "Q"];
const SIGNIFICANT = 4;

const grouped = (amount) => amount.toLocaleString("en-US");

// As tcost.units.si: four significant digits, halves away from zero.
function si(amount) {
  if (amount < 0n) return `-${si(-amount)}`;
  const digits = String(amount).length;
  const power = Math.floor((digits - 1) / 3);
  if (power === 0) return String(amount);
  const decimals = SIGNIFICANT - (digits - 3 * power);
  const unit = 10n ** BigInt(3 * power);
  const scale = 10n ** BigInt(decimals);
  const scaled = (2n * amount * scale + unit) / (2n * unit);
  if (scaled === 10n ** BigInt(SIGNIFICANT)) return si((scaled * unit) / scale);
  if (power >= PREFIXES.length) return grouped(amount);
  return `${scaled / scale}.${String(scaled % scale).padStart(decimals, "0")} ${PREFIXES[power]}`;
}

// A cell as it sorts: its fraction, where it has a number, or else its text.
function keyOf(cell) {
  const data = cell.querySelector("data");
  if (!data) return { text: cell.textContent.trim() };
  const [part, whole = "1"] = data.value.split("/");
  return { part: BigInt(part), whole: BigInt(whole) };
}

// Texts come before numbers: an empty cell is less than zero.
function compare(a, b) {
  if ("part" in a && "part" in b) {
    const difference = a.part * b.whole - b.part * a.whole;
    return difference < 0n ? -1 : Number(difference > 0n);
  }
  if ("part" in a || "part" in b) return "part" in a ? 1 : -1;
  return a.text < b.text ? -1 : Number(a.text > b.text);
}

const table = document.getElementById("table");
const body = table.tBodies[0];
const rows = Array.from(body.rows, (row) => ({ row, keys: Array.from(row.cells, keyOf) }));
const [text, rule, phase, count, sums, exact] = ["text", "rule", "phase", "count", "sums", "exact"].map((id) =>
  document.getElementById(id),
);
const heads = Array.from(table.tHead.rows[0].cells);
const summed = ["MACCs", "FLOPs", "parameters"].map((name) => heads.findIndex((head) => head.textContent === name));

function sort(head) {
  const next = { none: "ascending", ascending: "descending", descending: "none" };
  const order = next[head.getAttribute("aria-sort") ?? "none"];
  for (const each of heads) each.removeAttribute("aria-sort");
  if (order !== "none") head.setAttribute("aria-sort", order);
  const sign = { none: 0, ascending: 1, descending: -1 }[order];
  const ordered = [...rows].sort((a, b) => sign * compare(a.keys[head.cellIndex], b.keys[head.cellIndex]));
  body.append(...ordered.map((each) => each.row));
}

function filter() {
  const wanted = text.value.trim().toLowerCase();
  let shown = 0;
  const totals = summed.map(() => 0n);
  for (const { row, keys } of rows) {
    const words = keys.map((key) => key.text ?? "").join(" ").toLowerCase();
    const { rule: ofRule, phase: ofPhase } = row.dataset;
    row.hidden = !(
      words.includes(wanted) && ["", ofRule].includes(rule.value) && ["", ofPhase].includes(phase.value)
    );
    if (row.hidden) continue;
    shown += 1;
    summed.forEach((column, place) => (totals[place] += keys[column].part ?? 0n));
  }
  count.value = `${shown} of ${rows.length} rows`;
  sums.querySelectorAll("data").forEach((data, place) => {
    data.value = String(totals[place]);
    data.title = grouped(totals[place]);
    data.textContent = si(totals[place]);
    if (exact.checked) swap(data);
  });
}

function swap(data) {
  [data.textContent, data.title] = [data.title, data.textContent];
}

function save() {
  const blob = new Blob([document.getElementById("result").textContent], { type: "application/json" });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = "result.json";
  link.click();
  URL.revokeObjectURL(link.href);
}

for (const head of heads) {
  const button = document.createElement("button");
  button.type = "button";
  button.append(...head.childNodes);
  button.addEventListener("click", () => sort(head));
  head.append(button);
}
for (const control of [text, rule, phase]) control.addEventListener("input", filter);
exact.addEventListener("change", () => document.querySelectorAll("data[title]").forEach(swap));
document.getElementById("save").addEventListener("click", save);
for (const hidden of document.querySelectorAll(".controls, #sums")) hidden.hidden = false;
filter();
