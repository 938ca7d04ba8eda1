// The list: its filter, its order, and the detail of a record. Charts and figures are in the page already.
//
// Values of a record only ever become the text of an element: never HTML, never an address, and no attribute except a
// class from the words below. The page's content security policy forbids the rest.

const PAGE = 50; // rows added at a time: few enough for a phone
const PAUSE = 120; // milliseconds after the last key before the list is filtered

const SEVERITIES = ["Informational", "Low", "Medium", "High", "Critical"];
const DELIVERIES = ["delivery unknown", "not delivered yet", "rejected", "quarantined", "moved out of an inbox", "in an inbox"]; // least urgent first
const FILTERS = ["outcome", "disposition", "severity", "delivery", "state"];

// The sort key of each column. Unknown values (undefined) come last in both directions.
const COLUMNS = {
  decided: { of: (it) => it.decided, descending: true },
  severity: { of: (it) => rank(SEVERITIES, it.severity), descending: true },
  subject: { of: (it) => it.subject?.toLowerCase() },
  disposition: { of: (it) => it.disposition },
  delivery: { of: (it) => rank(DELIVERIES, it.delivery), descending: true },
  state: { of: (it) => it.state },
  seconds: { of: (it) => it.seconds, descending: true },
};

// The details: the title of each section, and its rows as [field of the record, label, class].
const SECTIONS = [
  ["What was found", [
    ["disposition", "Disposition"], ["severity", "Severity"], ["previous_disposition", "Previous alert"],
    ["previous_alert_id", "Its id", "code"], ["action", "Action taken"], ["reasons", "Reasons"],
  ]],
  ["Why it was decided so", [
    ["outcome", "Outcome"], ["reason", "Rule"], ["detail", "Note"], ["escalate_on", "EscalateOn"],
    ["schema_version", "Contract"], ["release", "Release"], ["drift", "Drift", "code"], ["dropped", "Cut to fit"],
  ]],
  ["Where from", [
    ["from", "Sender"], ["envelope_from", "Envelope"], ["reply_to", "Replies to"],
    ["domain", "Domain"], ["sender_ip", "IP"], ["as_name", "Network"], ["as_number", "AS number"], ["geo", "Located"],
    ["spf", "SPF"], ["dkim", "DKIM"], ["dmarc", "DMARC"], ["comment", "Remark"],
  ]],
  ["Where to", [
    ["locations", "Delivery"], ["delivery_status", "Status"], ["quarantined", "In quarantine"],
    ["delivery_mode", "Delivery mode"], ["to", "To"], ["envelope_to", "Envelope"], ["client_recipients", "Mailboxes"],
    ["recipients", "Recipients"],
    ["message_id", "Message-ID", "code"],
  ]],
];
const IDENTIFIERS = [
  ["alert_id", "Alert", "code"], ["sns_message_id", "SNS message", "code"], ["sqs_message_id", "SQS message", "code"],
  ["id", "Id in the request", "code"], ["postfix_id", "Postfix id", "code"], ["cloudflare_alert_id", "Alert id", "code"],
  ["investigate_id", "Investigate id", "code"], ["account_id", "Account", "code"], ["state", "State"],
  ["revision", "Revision"], ["owner", "Claimed by", "code"], ["claims", "Claims"], ["kept_until", "Kept until"],
];
// The lists: field of the record, title, the fields that name an item, and its other fields.
const THINGS = [
  ["categories", "Threat categories", ["name"], [["description", "Description"]]],
  ["findings", "Findings", ["reason", "name"], [
    ["detail", "Detail"], ["name", "Name"], ["detection", "Verdict"], ["score", "Score"], ["attachment", "Attachment"],
    ["field", "Field"], ["portion", "Portion"], ["value", "Value"],
  ]],
  ["links", "Links", ["href"], [["text", "Shown as"]]],
  ["attachments", "Attachments", ["filename", "name"], [
    ["content_type", "Type"], ["size", "Size"], ["encrypted", "Encrypted"], ["detection", "Verdict"],
    ["sha256", "SHA-256", "code"], ["sha1", "SHA-1", "code"], ["md5", "MD5", "code"],
  ]],
];

const byId = (id) => document.getElementById(id);
const entries = JSON.parse(byId("records").textContent);
const view = { matching: entries, shown: 0, column: "decided", descending: true };

// --- text and elements ---------------------------------------------------------------------------------------------

function element(name, text, style) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (style) made.className = style;
  return made;
}

function withParts(made, ...parts) {
  made.append(...parts.filter((it) => it instanceof Node));
  return made;
}

const instant = new Intl.DateTimeFormat("en-GB", {
  day: "2-digit", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: "UTC",
});

function shortTime(iso) {
  return iso ? instant.format(new Date(iso)).replace(",", "") : "";
}

const counted = (n, word) => `${n.toLocaleString("en")} ${word}${n === 1 ? "" : "s"}`;

// --- finding and sorting -------------------------------------------------------------------------------------------

// Undo defanging, so that a search finds a domain in both spellings.
const refanged = (text) => text.toLowerCase().replaceAll(/[[\]]/g, "").replaceAll("hxxp", "http");

function textsOf(value) {
  if (value === null || typeof value !== "object") return [String(value)];
  return Object.values(value).flatMap(textsOf);
}

const searchable = new WeakMap();

function searchText(entry) {
  if (!searchable.has(entry)) searchable.set(entry, refanged(textsOf(entry).join("\n")));
  return searchable.get(entry);
}

function matches(entry, words, chosen) {
  return chosen.every(([field, value]) => entry[field] === value) && words.every((it) => searchText(entry).includes(it));
}

function rank(order, word) {
  const at = order.indexOf(word);
  return at < 0 ? undefined : at;
}

function compare(one, other) {
  const { of } = COLUMNS[view.column];
  const [a, b] = [of(one), of(other)];
  if (a === b) return 0;
  if (a === undefined || b === undefined) return a === undefined ? 1 : -1;
  return (a < b ? -1 : 1) * (view.descending ? -1 : 1);
}

// --- the list ------------------------------------------------------------------------------------------------------

function refresh() {
  const words = refanged(byId("text").value).split(/\s+/).filter(Boolean);
  const chosen = FILTERS.map((field) => [field, byId(field).value]).filter(([, value]) => value);
  view.matching = entries.filter((it) => matches(it, words, chosen)).sort(compare);
  view.shown = 0;
  byId("rows").replaceChildren();
  showMore();
}

function showMore() {
  const next = view.matching.slice(view.shown, view.shown + PAGE);
  byId("rows").append(...next.map(line));
  view.shown += next.length;
  const left = view.matching.length - view.shown;
  byId("more").hidden = left === 0;
  byId("more").textContent = `Show ${Math.min(left, PAGE)} more`;
  byId("status").textContent = status();
}

function status() {
  if (!entries.length) return "There are no records in this period.";
  if (!view.matching.length) return "No record matches. Clear the filter to see them all.";
  const all = counted(entries.length, "record");
  const found = view.matching.length === entries.length ? all : `${view.matching.length.toLocaleString("en")} of ${all}`;
  return `${found}, ${view.shown.toLocaleString("en")} shown`;
}

function line(entry) {
  const row = byId("row").content.firstElementChild.cloneNode(true);
  const fill = (selector, text) => { row.querySelector(selector).textContent = text ?? "\u2013"; };
  fill("time", shortTime(entry.decided));
  fill(".severity span", entry.severity);
  fill(".mail button", entry.subject ?? `(subject not known) ${entry.id ?? ""}`);
  fill(".sender", entry.from ?? entry.domain);
  fill(".disposition", entry.disposition);
  fill(".delivery", entry.delivery);
  fill(".state", entry.state);
  fill(".after", entry.alerted_after);
  if (SEVERITIES.includes(entry.severity)) row.querySelector(".severity span").className = entry.severity.toLowerCase();
  row.querySelector(".delivery").classList.toggle("is-in-inbox", entry.delivery === "in an inbox");
  row.addEventListener("click", ({ target }) => {
    if (target.closest("button") || !getSelection().toString()) toggle(row, entry);
  });
  return row;
}

function toggle(row, entry) {
  const button = row.querySelector(".mail button");
  const opening = button.ariaExpanded === "false";
  button.ariaExpanded = String(opening);
  if (opening) row.after(detail(entry));
  else row.nextElementSibling.remove();
}

// --- the detail of a record ----------------------------------------------------------------------------------------

function detail(entry) {
  const record = withParts(element("div", undefined, "record"),
    ...SECTIONS.map(([title, rows]) => section(title, definitions(entry, rows))),
    ...THINGS.map(([field, title, names, rows]) => things(entry, field, title, names, rows)),
    section("When", times(entry.timeline)),
    section("Known as", definitions(entry, IDENTIFIERS)));
  const cell = withParts(element("td"), record);
  cell.colSpan = Object.keys(COLUMNS).length;
  cell.role = "cell";
  const row = withParts(element("tr", undefined, "detail"), cell);
  row.role = "row";
  return row;
}

function section(title, content) {
  return content && withParts(element("section"), element("h3", title), content);
}

function definitions(of, rows) {
  const known = rows.filter(([field]) => of[field] !== undefined);
  const pairs = known.flatMap(([field, name, style]) => [
    element("dt", name), value(of[field], style, of[`${field}_more`]),
  ]);
  return pairs.length ? withParts(element("dl"), ...pairs) : undefined;
}

function value(it, style, more) {
  if (!Array.isArray(it)) return element("dd", it, style);
  const lines = it.map((text) => element("li", text));
  if (more) lines.push(element("li", `and ${more.toLocaleString("en")} more`));
  return withParts(element("dd", undefined, style), withParts(element("ul"), ...lines));
}

function things(entry, field, title, names, rows) {
  const listed = (entry[field] ?? []).map((it) => thing(it, names, rows));
  const more = entry[`${field}_more`];
  if (more) listed.push(element("li", `and ${more.toLocaleString("en")} more`));
  return listed.length ? section(title, withParts(element("ul", undefined, "things"), ...listed)) : undefined;
}

function thing(it, names, rows) {
  const named = names.find((name) => it[name] !== undefined);
  const title = element("p", named ? it[named] : "(without a name)");
  return withParts(element("li"), title, definitions(it, rows.filter(([field]) => field !== named)));
}

function times(steps) {
  const lines = (steps ?? []).map(({ what, at, after }) =>
    withParts(element("li"), element("time", at), element("span", what), element("span", after, "number")));
  return lines.length ? withParts(element("ol", undefined, "times"), ...lines) : undefined;
}

// --- events ------------------------------------------------------------------------------------------

function sortBy(column) {
  view.descending = view.column === column ? !view.descending : Boolean(COLUMNS[column].descending);
  view.column = column;
  for (const head of document.querySelectorAll("[data-column]")) {
    if (head.dataset.column === column) head.ariaSort = view.descending ? "descending" : "ascending";
    else head.removeAttribute("aria-sort");
  }
  refresh();
}

function clear() {
  for (const id of ["text", ...FILTERS]) byId(id).value = "";
  refresh();
}

function find(text) {
  clear();
  byId("text").value = text;
  refresh();
  byId("list").scrollIntoView();
  byId("text").focus({ preventScroll: true });
}

function offer(field) {
  const words = [...new Set(entries.map((it) => it[field]).filter((it) => it !== undefined))];
  const order = { severity: SEVERITIES, delivery: DELIVERIES }[field] ?? [];
  words.sort((a, b) => order.indexOf(b) - order.indexOf(a) || (a < b ? -1 : 1));
  byId(field).append(...words.map((it) => new Option(it, it)));
}

function listen() {
  let waiting;
  byId("text").addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(refresh, PAUSE);
  });
  byId("clear").addEventListener("click", clear);
  byId("more").addEventListener("click", showMore);
  for (const field of FILTERS) byId(field).addEventListener("change", refresh);
  for (const head of document.querySelectorAll("[data-column]")) {
    head.firstElementChild.addEventListener("click", () => sortBy(head.dataset.column));
  }
  for (const button of document.querySelectorAll(".find")) {
    button.addEventListener("click", () => find(button.textContent));
  }
}

byId("records").remove();
byId("unscripted").remove();
byId("ledger").hidden = entries.length === 0;
FILTERS.forEach(offer);
listen();
refresh();
