// Records what mail providers report by their webhooks, with pg.
//
//     DATABASE_URL=postgresql://... WEBHOOK_SECRET=... PORT=8080 node webhooks.js
//
// A POST of the payload to /SECRET/sendgrid, /SECRET/mailgun, /SECRET/postmark or /SECRET/ses is one call of
// goals.record_engagements. The secret is all that keeps others from reporting. Receipts are found by the ref that was
// given when they were recorded: the id under which the provider took the message.
const http = require('http');
const { createHash, timingSafeEqual } = require('crypto');
const { Pool } = require('pg');

// What the providers call it. A word that is not here is left out: a bounce for now, a list that was joined.
const KINDS = {
  delivered: ['delivered', 'Delivery'],
  bounced: ['bounce', 'failed permanent', 'Bounce Permanent', 'Bounce Undetermined', 'Bounce HardBounce',
    'Bounce BadEmailAddress', 'Bounce Blocked', 'Bounce DMARCPolicy', 'Bounce ManuallyDeactivated'],
  opened: ['open', 'opened', 'Open'],
  clicked: ['click', 'clicked', 'Click'],
  complained: ['spamreport', 'complained', 'SpamComplaint', 'Complaint', 'Complaint abuse'],
  unsubscribed: ['unsubscribe', 'group_unsubscribe', 'unsubscribed', 'SubscriptionChange Recipient true',
    'Subscription true'],
};
const kindOf = new Map(Object.entries(KINDS).flatMap(([kind, words]) => words.map((word) => [word, kind])));
const words = (...parts) => parts.filter((part) => part !== undefined && part !== null).join(' ');

// An event of each provider is: the ref, the word, the time, and whether a machine opened or clicked.
const PROVIDERS = {
  // an array of events; the id goes on behind the one of the response
  sendgrid: (payload) => payload.map((e) => [e.sg_message_id?.split('.')[0], e.event, e.timestamp, e.sg_machine_open]),
  // one event
  mailgun: ({ 'event-data': e }) => [
    [e.message.headers['message-id'], words(e.event, e.severity), e.timestamp, Boolean(e['client-info']?.bot)],
  ],
  // one record, whose time has another name in each type of record; Apple's Mail Privacy Protection says `Mozilla/5.0`
  postmark: (r) => [[
    r.MessageID,
    words(r.RecordType, r.Origin, r.SuppressSending, r.RecordType === 'Bounce' ? r.Type : null),
    r.DeliveredAt ?? r.BouncedAt ?? r.ReceivedAt ?? r.ChangedAt,
    r.RecordType === 'Open' && r.UserAgent === 'Mozilla/5.0',
  ]],
  // a text within the notification of SNS, or that text itself; the time is in the part named after the event
  ses: (payload) => {
    if (!payload.mail && !(payload.Type === 'Notification' && payload.Message.startsWith('{'))) return [];
    const e = payload.mail ? payload : JSON.parse(payload.Message);
    const name = e.eventType ?? '';
    const part = e[name.toLowerCase()] ?? {};
    const word = words(name, part.bounceType, part.complaintSubType, part.complaintFeedbackType,
      part.newTopicPreferences?.unsubscribeAll);
    return [[e.mail.messageId, word, part.timestamp, name === 'Open' && part.userAgent === 'Mozilla/5.0']];
  },
};

/** The array for goals.record_engagements. */
function items(provider, payload) {
  return PROVIDERS[provider](payload)
    .filter(([, word]) => kindOf.has(word))
    .map(([ref, word, at, machine]) => ({ ref, kind: kindOf.get(word), at, machine }));
}

const pool = new Pool({ connectionString: process.env.DATABASE_URL });
pool.on('error', (e) => console.error(e.message)); // a connection that was lost while it was idle
const digest = (text) => createHash('sha256').update(text).digest();
const secret = digest(process.env.WEBHOOK_SECRET);

async function receive(path, body) {
  const [, given, provider] = path.split('/');
  if (!Object.hasOwn(PROVIDERS, provider ?? '') || !timingSafeEqual(digest(given), secret)) {
    return [404, { error: 'not found' }];
  }
  let reports;
  try {
    reports = items(provider, JSON.parse(body));
  } catch {
    return [400, { error: `no payload of ${provider}` }];
  }
  try {
    // pg would send an array of JavaScript as an array of PostgreSQL; a bigint comes as text
    const { rows } = await pool.query('SELECT * FROM goals.record_engagements($1)', [JSON.stringify(reports)]);
    const [{ recorded, skipped }] = rows;
    // 200 whatever was skipped: the provider would only send the same again
    if (skipped.length) console.error('skipped:', JSON.stringify(skipped));
    return [200, { recorded: Number(recorded), skipped }];
  } catch (e) {
    console.error(e.message);
    return [503, { error: 'try again' }];
  }
}

http.createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', async () => {
    const [status, what] = await receive(request.url, Buffer.concat(chunks).toString());
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(what));
  });
}).listen(Number(process.env.PORT ?? 8080), '127.0.0.1');
