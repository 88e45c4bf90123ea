// Makes the calls with pg, each parameter as JavaScript has it: node with_pg.js CALLS.json
const { Client } = require('pg');
const fs = require('fs');

const native = ([type, value]) => (type === 'time' ? new Date(value) : value);

async function main() {
  const db = new Client({ connectionString: process.env.DATABASE_URL });
  await db.connect();
  const said = {};
  for (const { call, sql, give } of JSON.parse(fs.readFileSync(process.argv[2]))) {
    try {
      await db.query(sql, give.map(native));
      said[call] = null;
    } catch (e) {
      said[call] = [e.code ?? 'driver', e.message, e.hint ?? null];
    }
  }
  await db.end();
  console.log(JSON.stringify(said));
}

main().catch((e) => { console.error(e); process.exit(1); });
