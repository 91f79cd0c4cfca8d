import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { reasonOf } from '@gantry/kernel'
import { dialTcp, Roster } from '@gantry/wire'
import type { Logger } from 'pino'

/** With others to try, a machine that does not answer is not waited for. */
const connectMs = 2500

/** The servers that the operator named, and those that a server told of, which are kept in the state folder for the next start. */
export async function serverList(stateDir: string, named: readonly string[], log: Logger): Promise<Roster> {
  const path = join(stateDir, 'servers.json')
  const keep = async (told: readonly string[]) => {
    await mkdir(stateDir, { recursive: true, mode: 0o700 })
    const draft = `${path}.new`
    await writeFile(draft, `${JSON.stringify(told)}\n`, { mode: 0o600 })
    await rename(draft, path)
  }
  const saving = { last: Promise.resolve() }
  return new Roster({
    named,
    told: await kept(path),
    dialTo: (address) => dialTcp(partsOf(address), connectMs),
    keep: (told) => {
      log.info({ servers: told }, 'told of the servers')
      saving.last = saving.last
        .then(() => keep(told))
        .catch((error: unknown) => log.warn({ reason: reasonOf(error) }, 'the list of servers could not be kept'))
    },
  })
}

/** What an earlier run was told. A file that cannot be read is only a list less: those that were named remain. */
async function kept(path: string): Promise<string[]> {
  try {
    const list: unknown = JSON.parse(await readFile(path, 'utf8'))
    return Array.isArray(list) ? list.filter((one): one is string => typeof one === 'string' && /:\d+$/.test(one)) : []
  } catch {
    return []
  }
}

function partsOf(address: string): { host: string; port: number } {
  const colon = address.lastIndexOf(':')
  return { host: address.slice(0, colon).replace(/^\[(.*)\]$/, '$1'), port: Number(address.slice(colon + 1)) }
}
