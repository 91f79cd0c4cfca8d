import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Env } from './credentials.ts'

/** What `gantry login` keeps: a token, never a password. */
export interface Login {
  readonly endpoint: string
  readonly authUrl: string
  readonly token: string
  /** ISO 8601. */
  readonly expiresAt: string
  readonly user: string
  readonly project: string
  readonly caFile?: string
}

function loginPath(env: Env): string {
  return join(env['XDG_CONFIG_HOME'] || join(env['HOME'] || homedir(), '.config'), 'gantry', 'credentials.json')
}

/** undefined if nobody is logged in or the file is not one of ours. */
export async function readLogin(env: Env): Promise<Login | undefined> {
  try {
    const login: unknown = JSON.parse(await readFile(loginPath(env), 'utf8'))
    return isLogin(login) ? login : undefined
  } catch {
    return undefined
  }
}

function isLogin(value: unknown): value is Login {
  if (typeof value !== 'object' || value === null) return false
  const known = value as Record<string, unknown>
  return ['endpoint', 'authUrl', 'token', 'expiresAt'].every((key) => typeof known[key] === 'string')
}

/** Mode 0600, put in place whole. */
export async function writeLogin(env: Env, login: Login): Promise<string> {
  const path = loginPath(env)
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const next = `${path}.${process.pid}`
  await writeFile(next, `${JSON.stringify(login, undefined, 2)}\n`, { mode: 0o600 })
  await rename(next, path)
  return path
}

export async function removeLogin(env: Env): Promise<void> {
  await rm(loginPath(env), { force: true })
}
