// The calls of the page, and changes by Prisma's models.
import { PrismaClient } from "@prisma/client";
import { PrismaPg } from "@prisma/adapter-pg";
import { correct, reports, sentTo, welcome, withdraw } from "./welcome.js";

const { PGHOST: host, PGPORT: port, PGUSER: user, PGDATABASE: database } = process.env;
const prisma = new PrismaClient({ adapter: new PrismaPg({ host, port: Number(port), user, database }) });
const plain = (value) => JSON.parse(JSON.stringify(value, (_, v) => (typeof v === "bigint" ? Number(v) : v)));
const same = (what, got, expected) => console.log(JSON.stringify([what, plain(got), plain(expected)]));
const figures = async (goal) =>
  (await prisma.$queryRaw`SELECT sent::int, opened::int, clicked::int, matched::int, worth::float8
                          FROM goals.message_stats WHERE message = 'welcome' AND goal = ${goal}`)[0];

const users = [];
for (let n = 0; n < 20; n++) {
  const email = `user${n}@${n % 5 ? "example.org" : "shop.example.org"}`;
  users.push(await prisma.user.create({ data: { email } }));
}

// receipts in a transaction with the job; a job that is tried again; a transaction that fails
const sent = [];
for (const [n, one] of users.slice(0, 10).entries()) sent.push(await welcome(prisma, one, `job ${n}`));
const again = await welcome(prisma, users[0], "job 0");
same("a job that is tried again", [again.repeated, again.receipt_id], [true, sent[0].receipt_id]);
await prisma
  .$transaction(async (tx) => {
    await tx.$queryRaw`SELECT * FROM goals.deliver('welcome', ${users[19].id})`;
    throw new Error("undone");
  })
  .catch(() => {});
same("several users", await sentTo(prisma, users.slice(10, 15)), [{ record_sent: 5 }]);
await withdraw(prisma, sent[9].receipt_id);
const kinds = ["opened", "clicked", "opened", "clicked"];
const items = kinds.map((kind, n) => ({ receipt: String(sent[n].receipt_id), kind }));
const [{ recorded, skipped }] = await reports(prisma, [...items, { receipt: 999999, kind: "opened" }]);
same("reports", [recorded, skipped.length], [4, 1]);

// changes: an update, an upsert that changes nothing, orders that are placed by an update
for (const one of users.slice(0, 4)) await prisma.user.update({ where: { id: one.id }, data: { plan: "pro" } });
const { email } = users[5];
await prisma.user.upsert({ where: { email }, update: { plan: "free" }, create: { email } });
for (const one of users.slice(2, 8)) {
  const order = await prisma.order.create({ data: { userId: one.id, total: "12.50" } });
  if (one !== users[7]) await prisma.order.update({ where: { id: order.id }, data: { placedAt: new Date() } });
}
const pro = await prisma.user.count({ where: { plan: "pro" } });
const where = { placedAt: { not: null } };
const placed = await prisma.order.aggregate({ where, _count: true, _sum: { total: true } });
same("upgrades", await figures("primary"), { sent: 14, opened: 4, clicked: 2, matched: pro, worth: 0 });
same("orders", await figures("order"),
  { sent: 14, opened: 4, clicked: 2, matched: placed._count, worth: Number(placed._sum.total) });

// a correction counts nothing
await correct(prisma);
same("corrected", (await prisma.user.count({ where: { plan: "pro" } })) > pro, true);
same("upgrades after it", (await figures("primary")).matched, pro);

const refused = await prisma.$queryRaw`SELECT goals.withdraw(${sent[9].receipt_id})`.catch((e) => e.message);
same("queried, not executed", /column of type 'void'/.test(refused), true);
await prisma.$executeRaw`SELECT goals.reset()`;
same("reset", (await figures("primary")).sent, 0);
same("health", await prisma.$queryRaw`SELECT problem FROM goals.health()`, []);
await prisma.$disconnect();
