// A log in which very many regions fail: more episodes than are kept in memory, and than a page can draw one by one.
// usage: node storm-logs.mjs FILE [EVENTS]
import { closeSync, openSync, writeSync } from 'node:fs';

const [file, events = 80_000] = process.argv.slice(2);
const out = openSync(file, 'w');
const start = Date.UTC(2022, 6, 25, 12), span = 6 * 3_600_000;
let text = '';
for (let at = 0; at < events; at += 1) {
  const time = new Date(start + Math.floor(span * at / events)).toISOString().replace(/-/g, '/').replace('T', ' ').replace('Z', ' +00:00');
  const region = 100_000 + at * 7 % 20_011;
  text += `[${time}] [WARN] [errors.rs:155] ["backup stream meet error"] [err="failed to get the snapshot (region_id = ${region}): peer is not leader for region ${region}"] [err_code=KV:LogBackup:RaftReq]\n`;
  if (text.length > 1 << 20 || at + 1 === Number(events)) {
    writeSync(out, text);
    text = '';
  }
}
closeSync(out);
