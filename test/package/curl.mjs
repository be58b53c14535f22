#!/usr/bin/env node
// The options of curl that the documentation uses, for machines without it: -s, -H, -d, -X.
const headers = {};
let url;
let body;
let method;
const args = process.argv.slice(2);
for (let at = 0; at < args.length; at += 1) {
  if (args[at] === '-H') {
    const [name, ...rest] = args[(at += 1)].split(':');
    headers[name] = rest.join(':').trim();
  } else if (args[at] === '-d') body = args[(at += 1)];
  else if (args[at] === '-X') method = args[(at += 1)];
  else if (args[at] !== '-s') url = args[at];
}
const response = await fetch(url, { method: method ?? (body === undefined ? 'GET' : 'POST'), headers, body });
console.log(await response.text());
// Unlike curl: what the documentation sends is to be taken.
process.exitCode = response.ok ? 0 : 22;
