// Makes the calls with postgres.js, each parameter as JavaScript has it: node with_postgres_js.js CALLS.json
const postgres = require('postgres');
const fs = require('fs');

const native = ([type, value]) => (type === 'time' ? new Date(value) : value);

async function main() {
  const sql = postgres(process.env.DATABASE_URL, { max: 1, onnotice: () => {} });
  const said = {};
  for (const { call, sql: text, give } of JSON.parse(fs.readFileSync(process.argv[2]))) {
    try {
      await sql.unsafe(text, give.map(native), { prepare: true });
      said[call] = null;
    } catch (e) {
      said[call] = [e.code ?? 'driver', e.message, e.hint ?? null];
    }
  }
  await sql.end();
  console.log(JSON.stringify(said));
}

main().catch((e) => { console.error(e); process.exit(1); });
