import { cpSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { temporaryFolder } from '../support/folders.ts'

/** Tables as the reference server makes them, version 7.61. */
export const SCHEMA_7_61 = `
CREATE TABLE store (key TEXT PRIMARY KEY, value TEXT, expires_at REAL);
CREATE TABLE intents (
  id TEXT PRIMARY KEY, namespace TEXT DEFAULT 'default', goal TEXT NOT NULL, payload TEXT NOT NULL, status TEXT NOT NULL,
  priority INTEGER DEFAULT 100, target_worker TEXT, required_capability TEXT, created_at REAL NOT NULL, expires_at REAL NOT NULL,
  run_at REAL NOT NULL, claimed_at REAL, claim_expires_at REAL, claimed_by TEXT, claim_token TEXT, publisher TEXT NOT NULL,
  claim_attempts INTEGER DEFAULT 0, max_attempts INTEGER DEFAULT 3, backoff_base REAL DEFAULT 5.0, visibility TEXT DEFAULT 'private',
  last_error TEXT, failed_at REAL, result TEXT, result_type TEXT, completed_at REAL);
CREATE TABLE tester_keys (api_key TEXT PRIMARY KEY, owner TEXT, total_requests INTEGER DEFAULT 0, created_at REAL);
CREATE TABLE rate_limits (identifier TEXT PRIMARY KEY, count INTEGER, window REAL);
CREATE TABLE idempotency_keys (api_key TEXT, key TEXT, body_hash TEXT, response TEXT, status_code INTEGER, created_at REAL, PRIMARY KEY (api_key, key));
CREATE TABLE request_nonces (api_key TEXT, nonce TEXT, created_at REAL, PRIMARY KEY (api_key, nonce));
CREATE TABLE dead_letters (
  id INTEGER PRIMARY KEY AUTOINCREMENT, intent_id TEXT UNIQUE, namespace TEXT, goal TEXT, payload TEXT, publisher TEXT, visibility TEXT,
  attempts INTEGER, reason TEXT, created_at REAL);
CREATE INDEX idx_intents_publisher ON intents(publisher, status);`

/** The same of version 7.0: no namespaces, results or dead letters, and failed instead of dead. */
export const SCHEMA_7_0 = `
CREATE TABLE store (key TEXT PRIMARY KEY, value TEXT, expires_at REAL);
CREATE TABLE intents (
  id TEXT PRIMARY KEY, goal TEXT, payload TEXT, status TEXT, reward INTEGER, created_at REAL, expires_at REAL, claimed_at REAL, claimed_by TEXT,
  publisher TEXT, claim_attempts INTEGER DEFAULT 0, last_error TEXT, failed_at REAL, visibility TEXT DEFAULT 'private');
CREATE TABLE tester_keys (api_key TEXT PRIMARY KEY, owner TEXT, total_requests INTEGER DEFAULT 0, created_at REAL);`

type Row = Readonly<Record<string, string | number | null>>

/** A database of the reference server, which runs on it and keeps its last changes in the log. */
export class ReferenceDatabase implements Disposable {
  readonly #folder = temporaryFolder()
  readonly path = join(this.#folder.path, 'infrastructure.db')
  readonly #db: Database.Database

  constructor(schema = SCHEMA_7_61) {
    this.#db = new Database(this.path)
    this.#db.pragma('journal_mode = WAL')
    this.#db.exec(schema)
  }

  insert(table: string, row: Row): void {
    const names = Object.keys(row)
    this.#db.prepare(`INSERT INTO ${table} (${names.join()}) VALUES (${names.map(() => '?').join()})`).run(Object.values(row))
  }

  run(sql: string): void {
    this.#db.exec(sql)
  }

  /** The file as its server leaves it when it is stopped. */
  file(): Buffer {
    this.#db.pragma('wal_checkpoint(TRUNCATE)')
    return readFileSync(this.path)
  }

  /** The file and its log as a killed server leaves them. */
  killed(): { file: Buffer; wal: Buffer } {
    return { file: readFileSync(this.path), wal: readFileSync(`${this.path}-wal`) }
  }

  /** Copies what a killed server leaves to another place. */
  copyTo(path: string): void {
    for (const suffix of ['', '-wal']) if (existsSync(this.path + suffix)) cpSync(this.path + suffix, path + suffix)
  }

  [Symbol.dispose](): void {
    this.#db.close()
    this.#folder[Symbol.dispose]()
  }
}
