// Makes the calls with pg, each parameter as JavaScript has it: node with_pg.js CALLS.json
const { Client } = require('pg');
const fs = require('fs');

// pg sends a list as an array of PostgreSQL: one that is meant as json goes as its text
const native = ([type, value]) => {
  if (type === 'time') return new Date(value);
  return type === 'json' && Array.isArray(value) ? JSON.stringify(value) : value;
};

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
