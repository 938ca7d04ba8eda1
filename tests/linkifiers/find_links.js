"use strict";

// Reads texts from stdin, each as a line of JSON. Prints [linkifier, text, links] for each text in which one finds links.
const { createInterface } = require("node:readline");
const { Autolinker } = require("autolinker");
const { findPhoneNumbersInText } = require("libphonenumber-js/max");
const { linkifyit } = require("linkify-it");
const linkify = require("linkifyjs");
const tlds = require("tlds");

// Clients hand these to another program. The linkifiers know only the schemes of the web.
const SCHEMES = ["tel", "sms", "sip", "callto", "file", "smb", "javascript", "data", "ws", "skype"];

const markdown = linkifyit({ fuzzyLink: true, fuzzyEmail: true, fuzzyIP: true, urlAuth: true, tlds });
for (const scheme of SCHEMES) {
  markdown.add(`${scheme}:`, { validate: (text, at) => /^[^\s\]]+/.exec(text.slice(at))?.[0].length ?? 0 });
  linkify.registerCustomProtocol(scheme, true);
}

// Android links telephone numbers with the original of libphonenumber-js. It takes a date after two digits for a number.
const DATE = /\d{4}-\d\d-\d\d/;
const telephones = (text, country) =>
  findPhoneNumbersInText(text, { defaultCountry: country })
    .map((it) => text.slice(it.startsAt, it.endsAt))
    .filter((it) => !DATE.test(it));

const LINKIFIERS = {
  "linkify-it": (text) => (markdown.match(text) ?? []).map((it) => it.raw),
  linkifyjs: (text) => linkify.find(text).map((it) => it.value),
  autolinker: (text) =>
    Autolinker.parse(text, { urls: true, email: true, phone: true, mention: "twitter" }).map((it) => it.getMatchedText()),
  libphonenumber: (text) => [...telephones(text, "US"), ...telephones(text, "GB")],
};

createInterface({ input: process.stdin }).on("line", (line) => {
  const text = JSON.parse(line);
  for (const [name, find] of Object.entries(LINKIFIERS)) {
    const links = find(text);
    if (links.length > 0) console.log(JSON.stringify([name, text, links]));
  }
});
