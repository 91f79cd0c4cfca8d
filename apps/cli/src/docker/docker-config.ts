import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Env } from '../client/credentials.ts'

type Json = Readonly<Record<string, unknown>>

/** Where the docker command of this user keeps its own settings. */
export function ownConfigDir(env: Env): string {
  return env['DOCKER_CONFIG'] || join(env['HOME'] || homedir(), '.docker')
}

/** A folder for each user, project and cloud, so that no shell becomes somebody else because another one logged in. */
export function configDirFor(env: Env, who: { url: string; user: string; projectId: string }): string {
  const base = env['XDG_CONFIG_HOME'] || join(env['HOME'] || homedir(), '.config')
  const name = `${who.user}-${who.projectId.slice(0, 8)}-${new URL(who.url).host}`
  return join(base, 'gantry', 'docker', name.replaceAll(/[^\w.-]/g, '_'))
}

/**
 * Writes `dir`/config.json with these headers, mode 0600 in a folder 0700, put in place whole. Registry log-ins, credential
 * helpers and plugins of the user's own folder stay usable; what was logged in to with this folder is kept as well.
 */
export async function writeDockerConfig(dir: string, own: string, headers: Json): Promise<void> {
  await mkdir(dir, { recursive: true, mode: 0o700 })
  await chmod(dir, 0o700)
  const [theirs, before] = own === dir ? [{}, await readConfig(dir)] : [await readConfig(own), await readConfig(dir)]
  const { HttpHeaders: _foreign, currentContext: _elsewhere, ...usual } = { ...theirs, ...before }
  const config = {
    ...usual,
    auths: { ...objectOf(theirs['auths']), ...objectOf(before['auths']) },
    HttpHeaders: headers,
    cliPluginsExtraDirs: [...new Set([...textsOf(usual['cliPluginsExtraDirs']), join(own, 'cli-plugins')])],
  }
  await writePrivate(join(dir, 'config.json'), `${JSON.stringify(config, undefined, 2)}\n`)
}

/** Mode 0600, put in place whole. */
export async function writePrivate(path: string, content: string): Promise<void> {
  const draft = `${path}.${process.pid}.new`
  await writeFile(draft, content, { mode: 0o600 })
  await rename(draft, path)
}

export async function readConfig(dir: string): Promise<Json> {
  try {
    return objectOf(JSON.parse(await readFile(join(dir, 'config.json'), 'utf8')))
  } catch {
    return {}
  }
}

function objectOf(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {}
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
}
