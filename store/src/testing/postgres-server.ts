import { randomBytes } from 'node:crypto'
import pg from 'pg'
import type { TestProject } from 'vitest/node'
import { openPostgres } from '../postgres/open.ts'
import { startPostgres } from './postgres.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** URL of a PostgreSQL; there is none but in the project `postgres`. */
    postgres?: string
  }
}

const template = 'migrated'

/** Vitest's global set-up of the project `postgres`: one PostgreSQL for all test files. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const postgres = await startPostgres()
  const url = await postgres.database()
  await inDatabase(url, `create database ${template}`)
  await (await openPostgres(sibling(url, template))).destroy()
  project.provide('postgres', url)
  return () => Promise.resolve(postgres[Symbol.asyncDispose]())
}

/** The URL of a new database, its schema up to date, beside the one at `url`. */
export async function newDatabase(url: string): Promise<string> {
  const name = `db_${randomBytes(6).toString('hex')}`
  await inDatabase(url, `create database ${name} template ${template}`)
  return sibling(url, name)
}

async function inDatabase(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}

function sibling(url: string, name: string): string {
  const other = new URL(url)
  other.pathname = `/${name}`
  return other.href
}
