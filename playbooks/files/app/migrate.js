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
  await client.query("SET lock_timeout = '5s'");
  // Held by this session, and given back with it.
  await client.query('SELECT pg_advisory_lock(7105)');
  await client.query('CREATE TABLE IF NOT EXISTS migrations (name text PRIMARY KEY, done timestamptz NOT NULL DEFAULT now())');
  for (const [name, text] of STEPS) {
    const known = await client.query('SELECT 1 FROM migrations WHERE name = $1', [name]);
    if (known.rowCount > 0) continue;
    await client.query('BEGIN');
    await client.query(text);
    await client.query('INSERT INTO migrations (name) VALUES ($1)', [name]);
    await client.query('COMMIT');
    console.log(`done ${name}`);
  }
  await client.end();
}

main().catch((error) => {
  console.error(error.message);
  process.exit(1);
});
