'use strict';
// Brings the database's tables to what this release needs. Each step is done once, and only ever adds: workers of the release
// before still run. Two that start at the same time wait for each other. With `--pending` it only says what is to be done.
const { Client } = require('pg');

const STEPS = [
  ['1 items', 'CREATE TABLE items (id bigserial PRIMARY KEY, name text NOT NULL, made timestamptz NOT NULL DEFAULT now())'],
];

async function pending(client) {
  const made = await client.query("SELECT to_regclass('migrations') AS found");
  const known = made.rows[0].found === null ? [] : (await client.query('SELECT name FROM migrations')).rows.map((row) => row.name);
  for (const [name] of STEPS) if (!known.includes(name)) console.log(name);
}

async function main() {
  const client = new Client();
  await client.connect();
  if (process.argv[2] === '--pending') {
    await pending(client);
    return client.end();
  }
  // All or nothing, and one transaction: a pooler may give each of them another connection.
  await client.query('BEGIN');
  await client.query("SET LOCAL lock_timeout = '5s'");
  await client.query('SELECT pg_advisory_xact_lock(7105)');
  await client.query('CREATE TABLE IF NOT EXISTS migrations (name text PRIMARY KEY, done timestamptz NOT NULL DEFAULT now())');
  const done = [];
  for (const [name, text] of STEPS) {
    const known = await client.query('SELECT 1 FROM migrations WHERE name = $1', [name]);
    if (known.rowCount > 0) continue;
    await client.query(text);
    await client.query('INSERT INTO migrations (name) VALUES ($1)', [name]);
    done.push(name);
  }
  await client.query('COMMIT');
  for (const name of done) console.log(`done ${name}`);
  await client.end();
}

main().catch((error) => {
  console.error(error.message);
  process.exit(1);
});
