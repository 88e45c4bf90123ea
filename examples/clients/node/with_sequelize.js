// pg_goals from Node with Sequelize: DATABASE_URL=postgresql://... node with_sequelize.js
//
// save() writes the columns that were set; told the fields, it writes all of them, as update() and upsert() do. Only what differs counts.
const { Sequelize, DataTypes, QueryTypes } = require('sequelize');

const WATCHED = ['email', 'balance', 'score', 'settings', 'tags', 'active'];
const upTo = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

async function main() {
  const db = new Sequelize(process.env.DATABASE_URL, { logging: false, dialectOptions: { client_encoding: 'UTF8' } });
  const Customer = db.define('customer', {
    id: { type: DataTypes.BIGINT, primaryKey: true },
    email: DataTypes.TEXT,
    plan: DataTypes.TEXT,
    sessions: DataTypes.INTEGER,
    balance: DataTypes.DECIMAL(12, 2),
    score: DataTypes.DOUBLE,
    settings: DataTypes.JSONB,
    tags: DataTypes.ARRAY(DataTypes.TEXT),
    active: DataTypes.BOOLEAN,
    signed_up: DataTypes.DATE,
    born: DataTypes.DATEONLY,
  }, { tableName: 'customers', timestamps: false });
  const everything = Object.keys(Customer.getAttributes()).filter((name) => name !== 'id');
  const call = (text, ...bind) => db.query(text, { bind, type: QueryTypes.SELECT });

  // a message and its goals: one transaction, all or nothing
  await db.transaction(async (transaction) => {
    const within = (text, ...bind) => db.query(text, { bind, type: QueryTypes.SELECT, transaction });
    await within("SELECT goals.create_message($1, channel => 'e-mail')", 'welcome');
    await within("SELECT goals.set_goal('welcome', attribute => 'sessions', operator => 'is increased', time_limit => '3 days')");
    await within("SELECT goals.set_goal('welcome', attribute => 'plan', operator => 'is', value => 'pro', time_limit => '14 days', goal => 'upgrade')");
    await within("SELECT goals.set_goal('welcome', event => 'order placed', time_limit => '7 days', value_from => 'amount', goal => 'order')");
    for (const column of WATCHED) {
      await within("SELECT goals.set_goal('welcome', attribute => $1, operator => 'is changed', time_limit => '1 day', goal => $2)", column, `${column} changed`);
    }
  });

  // record, commit, then send: an audience, and one customer
  const [{ sent }] = await call("SELECT goals.record_sent('welcome', $1::text[])::int AS sent", upTo(1, 20).map(String));
  const [{ send }] = await call("SELECT send FROM goals.deliver('welcome', $1::bigint)", 21);
  await call("SELECT goals.record_opened('welcome', $1::bigint)", 1);
  await call("SELECT goals.record_clicked('welcome', $1::bigint)", 2);

  // the application's own work
  for (const id of [...upTo(1, 6), 25]) {
    const customer = await Customer.findByPk(id);
    customer.sessions += 1;
    await customer.save({ fields: everything });
  }
  for (const customer of await Customer.findAll({ where: { id: upTo(7, 9) } })) {
    customer.plan = 'pro';
    await customer.save({ fields: everything });
  }
  for (const customer of await Customer.findAll({ where: { id: upTo(10, 14) } })) {
    await Customer.update(customer.get(), { where: { id: customer.id } });
    await Customer.upsert(customer.get());   // INSERT ... ON CONFLICT DO UPDATE
  }
  const customer = await Customer.findByPk(15);
  customer.settings = { ...customer.settings, theme: 'dark' };
  await customer.save({ fields: everything });
  const regret = new Error('on second thoughts');
  await db.transaction(async (transaction) => {
    const regretted = await Customer.findByPk(16, { transaction });
    regretted.sessions += 1;
    await regretted.save({ fields: everything, transaction });
    throw regret;
  }).catch((e) => { if (e !== regret) throw e; });
  await call("SELECT goals.record_event($1::bigint, 'order placed', $2::jsonb)", 3, JSON.stringify({ amount: 12.5 }));

  // a mistake, told by its SQLSTATE
  let error = null;
  try {
    await call("SELECT goals.record_sent('welcom', $1::bigint)", 1);
  } catch (e) {
    error = `${e.original.code}: ${e.original.hint}`;
  }

  // the figures; a bigint comes as text
  const stats = {};
  for (const r of await call('SELECT * FROM goals.message_stats WHERE message = $1', 'welcome')) {
    stats[r.goal] = `${r.sent} sent, ${r.opened} opened, ${r.clicked} clicked, ${r.already_matched} already matched, ${r.matched} matched, worth ${r.worth}`;
  }
  const who = {};
  for (const r of await call("SELECT goal, string_agg(user_key, ',' ORDER BY user_key::int) AS keys FROM goals.matches($1) GROUP BY goal", 'welcome')) {
    who[r.goal] = r.keys;
  }
  const [{ verdict }] = await call("SELECT verdict FROM goals.explain('welcome', $1::bigint) WHERE goal = 'upgrade'", 9);
  await db.close();
  console.log(JSON.stringify({ sent, send, error, stats, who, 'customer 9': verdict }));
}

main().catch((e) => { console.error(e); process.exit(1); });
