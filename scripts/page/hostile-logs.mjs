// Logs that try to be obeyed: by a browser, a Markdown renderer, Mermaid, a terminal, a spreadsheet.
// usage: node hostile-logs.mjs SEED FOLDER    SEED is the folder of an incident, whose story the hostile logs tell again
import { cpSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const [seed, out] = process.argv.slice(2);
const RUN = 'pwned()';
const TEXTS = [
  `<script>${RUN}</script>`,
  `</script><script>${RUN}</script>`,
  `</style></title></textarea></svg></table></select><script>${RUN}</script>`,
  `--><img src=x onerror=${RUN}>`,
  `"><img src=x onerror=${RUN}>`,
  `'><img src=x onerror=${RUN}>`,
  `" onmouseover="${RUN}" autofocus onfocus="${RUN}" x="`,
  `' onmouseover='${RUN}' autofocus onfocus='${RUN}' x='`,
  `<svg onload=${RUN}><animate onbegin=${RUN} attributeName=x dur=1s>`,
  `<svg><script href="data:text/javascript,${RUN}"></script></svg>`,
  `<iframe srcdoc="<script>parent.${RUN}</script>"></iframe>`,
  `<iframe src="javascript:parent.${RUN}"></iframe><object data="javascript:${RUN}"></object><embed src="javascript:${RUN}">`,
  `<a href="javascript:${RUN}" id=forms>x</a><form action="javascript:${RUN}"><button>x</button></form>`,
  `<details open ontoggle=${RUN}><summary>x</summary></details><video><source onerror=${RUN}></video>`,
  `<meta http-equiv="refresh" content="0;url=https://example.com/"><base href="https://example.com/">`,
  `<link rel="stylesheet" href="https://example.com/x.css"><style>*{background:url(https://example.com/x)}</style>`,
  `&lt;script&gt;${RUN}&lt;/script&gt; &#60;img src=x onerror=${RUN}&#62;`,
  `\\u003cscript\\u003e${RUN}\\u003c/script\\u003e \\x3cimg src=x onerror=${RUN}\\x3e`,
  `{{constructor.constructor('${RUN}')()}} \${${RUN}} <%= ${RUN} %> {% raw %}`,
  `[x](javascript:${RUN}) ![x](https://example.com/x.png) <https://example.com/> https://example.com/ www.example.com a@example.com @everyone #1`,
  `[x]: javascript:${RUN}`,
  '```mermaid', '~~~', '| a | b |', '# h', '> q', '---', '<!--', ']]>', '%%{init: {"securityLevel": "loose"}}%%', `click a href "javascript:${RUN}"`,
  '\u202egnp.exe \u2066x\u2069 \u200b\u200f\ufeff\u00ad',
  '\u001b[2J\u001b[31mred\u001b]8;;https://example.com/\u0007link\u001b]0;title\u0007 \u009b2J \u0000\b\r\u007f',
  "=cmd|'/c calc'!A1", '@SUM(1+1)', '+1+1', '-1+1', '=HYPERLINK("https://example.com/","x")', '\t=1+1', ';=1+1', '",=1+1',
];
/** What a task, a store or an address may be called without that its record falls apart. */
const NAMES = [`<img/src=x/onerror=${RUN}>`, `'onmouseover='${RUN}'x='`, `</script><script>${RUN}</script>`, '=1+1', '\u202egnp'];

const quote = text => text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
const walk = folder => readdirSync(folder, { recursive: true, withFileTypes: true })
  .filter(entry => entry.isFile()).map(entry => join(entry.parentPath ?? entry.path, entry.name));

mkdirSync(out, { recursive: true });
NAMES.forEach((name, at) => {
  const copy = join(out, `cluster-${at}`);
  cpSync(seed, copy, { recursive: true });
  for (const file of walk(copy)) {
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text
      .replaceAll('task1', name)
      .replaceAll('s3://pitr-backup', `s3://${NAMES[at]}`)
      .replaceAll('read index not ready', `read index not ready ${quote(TEXTS[at])}`));
  }
});
let clock = 0;
const record = (level, place, message, fields) => {
  clock += 1;
  const time = `2022/07/25 14:54:${String(10 + Math.floor(clock / 1000)).padStart(2, '0')}.${String(clock % 1000).padStart(3, '0')} +00:00`;
  return `[${time}] [${level}] [${place}] ["${message}"]${fields.map(([key, value]) => ` [${key}="${value}"]`).join('')}\n`;
};
TEXTS.forEach((text, at) => {
  let log = '';
  for (const shown of [quote(text), text]) {
    log += record('WARN', 'errors.rs:155', 'backup stream meet error', [['err', `failed to get the snapshot (region_id = 94812) ${shown}`], ['err_code', 'KV:LogBackup:RaftReq'], ['task', shown]]);
    log += record('ERROR', 'errors.rs:155', 'backup stream meet fatal error', [['err', shown], ['store', shown], ['err_code', `KV:${shown}`]]);
    log += record('WARN', 'a.rs:1', shown, []);
    log += record('ERROR', 'a.rs:1', `nobody knows this: ${shown}`, [[shown, shown]]);
    log += `${shown}\n`;
  }
  // A name cannot hold a slash.
  const name = text.replaceAll(/[/\0]/g, '∕').slice(0, 60);
  mkdirSync(join(out, 'texts', name), { recursive: true });
  writeFileSync(join(out, 'texts', name, `${name}.log`), log);
  writeFileSync(join(out, 'texts', name, 'status.txt'), `● Total 1 Tasks.\n> #1 <\n                    name: ${text}\n                  status: ○ ERROR\n                   start: 2022-07-25 13:49:02.868 +0000\n                 storage: s3://b/${text}\n      checkpoint[global]: 2022-07-25 14:46:50.118 +0000; gap=1h0m0s\n          error[store=1]: KV:LogBackup:RaftReq\nerror-happen-at[store=1]: 2022-07-25 14:54:44.467 +0000; gap=52m\n  error-message[store=1]: ${text}\n`);
});
/** A text as TOML writes it. */
const toml = text => JSON.stringify(text).replaceAll(/[\u007f-\u009f]/g, char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
writeFileSync(join(out, '..', 'hostile-rules.toml'), TEXTS.map((text, at) => `[[rule]]
id = "hostile-${at}"
component = "any"
group = "log-backup"
kind = "signal"
severity = "critical"
levels = ["ERROR"]
message_has = [${toml(`nobody knows this: ${text}`)}]
meaning = ${toml(text)}
remedy = ${toml(`\`${text}\``)}
`).join('\n'));
