import { readFile, stat } from 'node:fs/promises'
import { type GrantEntry, type PolicyGrants, grantProblem, grantsOf } from '@gantry/control'
import { reasonOf } from '@gantry/kernel'
import type { Logger } from 'pino'

/** What the operator granted to users of the Docker API, as the file said when it was read last. */
export interface DockerPolicy extends Disposable {
  readonly grants: PolicyGrants
}

export interface PolicyFile {
  readonly path: string
  /** Whether the operator named it: then it must be there. */
  readonly named: boolean
}

/**
 * Reads the file now, and again at each SIGHUP: a mistake keeps the server from starting, later it is logged and what was
 * granted before stays. Throws a sentence for the operator.
 */
export async function dockerPolicy(file: PolicyFile, log: Logger): Promise<DockerPolicy> {
  let entries = await entriesOf(file)
  const again = () => {
    entriesOf(file).then(
      (found) => {
        entries = found
        log.info({ file: file.path, entries: found.length }, 'docker policy read')
      },
      (error: unknown) => log.error({ file: file.path, reason: reasonOf(error) }, 'docker policy kept as it was'),
    )
  }
  process.on('SIGHUP', again)
  return {
    grants: { of: (caller) => grantsOf(entries, caller) },
    [Symbol.dispose]: () => void process.off('SIGHUP', again),
  }
}

async function entriesOf({ path, named }: PolicyFile): Promise<readonly GrantEntry[]> {
  const text = await textOf(path)
  if (text === null) {
    if (named) throw new Error(`There is no Docker policy file ${path}; name another with --docker-policy.`)
    return []
  }
  const { parse, YAMLParseError } = await import('yaml')
  try {
    return policyEntries(parse(text))
  } catch (error) {
    const problem =
      error instanceof YAMLParseError ? `is not YAML: ${error.message.split('\n', 1)[0] ?? ''}` : reasonOf(error)
    throw new Error(`The Docker policy file ${path} ${problem}`, { cause: error })
  }
}

/** null: there is none. */
async function textOf(path: string): Promise<string | null> {
  try {
    const { mode } = await stat(path)
    if ((mode & 0o022) !== 0) {
      throw new Error(`The Docker policy file ${path} can be written by others than its owner: chmod go-w ${path}.`)
    }
    return await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}

/** What the file's document says. Throws the rest of a sentence that begins with the file. */
export function policyEntries(document: unknown): readonly GrantEntry[] {
  if (document === null || document === undefined) return []
  if (!Array.isArray(document))
    throw new Error('must be a list of entries, each with "grant" and with "projects" or "roles".')
  return document.map((entry: unknown, at) => entryOf(entry, `: entry ${at + 1}`))
}

function entryOf(entry: unknown, where: string): GrantEntry {
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) {
    throw new Error(`${where} must have the keys "grant" and "projects" or "roles".`)
  }
  const known = ['projects', 'roles', 'grant']
  const strange = Object.keys(entry).find((key) => !known.includes(key))
  if (strange !== undefined) throw new Error(`${where} has the key "${strange}"; there are: ${known.join(', ')}.`)
  const [projects, roles, grant] = known.map((key) => textsOf(entry, key, where))
  if (!projects && !roles) {
    throw new Error(`${where} says to nobody: add "projects" (ids or names; "*" for all) or "roles".`)
  }
  if (!grant) throw new Error(`${where} lacks "grant", the list of what is granted.`)
  for (const word of grant) {
    const problem = grantProblem(word)
    if (problem !== null) throw new Error(`${where}: ${problem}; docs/api/docker-policy.md has the list.`)
  }
  return { grant, ...(projects && { projects }), ...(roles && { roles }) }
}

function textsOf(entry: object, key: string, where: string): readonly string[] | undefined {
  const [, value] = Object.entries(entry).find(([name]) => name === key) ?? []
  if (value === undefined) return undefined
  const isText = (each: unknown): each is string => typeof each === 'string' && each !== ''
  if (Array.isArray(value) && value.length > 0 && value.every(isText)) return value
  throw new Error(`${where}: "${key}" must be a list of words, with at least one; a number needs quotes.`)
}
