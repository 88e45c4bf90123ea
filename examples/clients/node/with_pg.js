// pg_goals from Node with pg: DATABASE_URL=postgresql://... node with_pg.js
const { Client } = require('pg');

const WATCHED = ['email', 'balance', 'score', 'settings', 'tags', 'active'];
const upTo = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

// pg reads a timestamptz into a Date, which has no microseconds: what is to be written back as it was is read as text.
const { types } = require('pg');
types.setTypeParser(types.builtins.TIMESTAMPTZ, (text) => text);
types.setTypeParser(types.builtins.DATE, (text) => text);

async function main() {
  const db = new Client({ connectionString: process.env.DATABASE_URL });
  await db.connect();
  // a name makes it a prepared statement, which is what a pooler has to bear
  const call = async (name, text, ...values) => (await db.query({ name, text, values })).rows;

  // a message and its goals
  await call('create', "SELECT goals.create_message($1, channel => 'e-mail')", 'welcome');
  await db.query("SELECT goals.set_goal('welcome', attribute => 'sessions', operator => 'is increased', time_limit => '3 days')");
  await db.query("SELECT goals.set_goal('welcome', attribute => 'plan', operator => 'is', value => 'pro', time_limit => '14 days', goal => 'upgrade')");
  await db.query("SELECT goals.set_goal('welcome', event => 'order placed', time_limit => '7 days', value_from => 'amount', goal => 'order')");
  for (const column of WATCHED) {
    await call('watch', "SELECT goals.set_goal('welcome', attribute => $1, operator => 'is changed', time_limit => '1 day', goal => $2)",
      column, `${column} changed`);
  }

  // record, commit, then send: an audience, and one customer
  const [{ sent }] = await call('send all', "SELECT goals.record_sent('welcome', $1::text[])::int AS sent", upTo(1, 20));
  const [{ send }] = await call('send one', "SELECT send FROM goals.deliver('welcome', $1::bigint)", 21);
  await call('opened', "SELECT goals.record_opened('welcome', $1::bigint)", 1);
  await call('clicked', "SELECT goals.record_clicked('welcome', $1::bigint)", 2);

  // the application's own work: read the object, change it, write all of it
  const load = async (id) => (await call('load', 'SELECT * FROM customers WHERE id = $1', id))[0];
  const save = (c) => call('save',
    `UPDATE customers SET email = $2, plan = $3, sessions = $4, balance = $5, score = $6, settings = $7, tags = $8, active = $9,
     signed_up = $10, born = $11 WHERE id = $1`,
    c.id, c.email, c.plan, c.sessions, c.balance, c.score, c.settings, c.tags, c.active, c.signed_up, c.born);
  for (const id of [...upTo(1, 6), 25]) {
    const customer = await load(id);
    customer.sessions += 1;
    await save(customer);
  }
  for (const id of upTo(7, 9)) await save({ ...(await load(id)), plan: 'pro' });
  for (const id of upTo(10, 14)) await save(await load(id));
  const customer = await load(15);
  customer.settings.theme = 'dark';
  await save(customer);
  await db.query('BEGIN');
  const regretted = await load(16);
  await save({ ...regretted, sessions: regretted.sessions + 1 });
  await db.query('ROLLBACK');
  await call('event', "SELECT goals.record_event($1::bigint, 'order placed', $2)", 3, { amount: 12.5 });

  // a mistake, told by its SQLSTATE
  let error = null;
  try {
    await call('send', "SELECT goals.record_sent('welcom', $1::bigint)", 1);
  } catch (e) {
    error = `${e.code}: ${e.hint}`;
  }

  // the figures; a bigint comes as text
  const stats = {};
  for (const r of await call('stats', 'SELECT * FROM goals.message_stats WHERE message = $1', 'welcome')) {
    stats[r.goal] = `${r.sent} sent, ${r.opened} opened, ${r.clicked} clicked, ${r.already_matched} already matched, ${r.matched} matched, worth ${r.worth}`;
  }
  const who = {};
  for (const r of await call('who', "SELECT goal, string_agg(user_key, ',' ORDER BY user_key::int) AS keys FROM goals.matches($1) GROUP BY goal", 'welcome')) {
    who[r.goal] = r.keys;
  }
  const [{ verdict }] = await call('why', "SELECT verdict FROM goals.explain('welcome', $1::bigint) WHERE goal = 'upgrade'", 9);
  await db.end();
  console.log(JSON.stringify({ sent, send, error, stats, who, 'customer 9': verdict }));
}

main().catch((e) => { console.error(e); process.exit(1); });
