import type { Draft, MountDraft, PairDraft } from './draft.ts'
import { wordsOfLine } from './shell-words.ts'

/** What is wrong with each field; a field that is well is not in it. */
export type Problems = Readonly<Partial<Record<keyof Draft, string>>>

export interface Known {
  /** Volumes that only one container may have at a time. */
  readonly exclusiveVolumes: ReadonlySet<string>
}

/** As the API checks it (facades/native/src/schemas.ts), said before it is sent. Pure. */
export function problemsOf(draft: Draft, { exclusiveVolumes }: Known): Problems {
  const problems: Record<keyof Draft, string | null> = {
    ...noProblems,
    image: imageProblem(draft.image),
    name: nameProblem(draft.name),
    count: rangeProblem(draft.count, { what: 'The count', least: 1, most: 1000, isWhole: true }),
    cpu: rangeProblem(draft.cpu, { what: 'The number of cores', least: 0.01, most: 4096 }),
    memory: rangeProblem(draft.memory, { what: 'Memory in MiB', least: 4, most: 16_777_216, isWhole: true }),
    disk:
      draft.disk === ''
        ? null
        : rangeProblem(draft.disk, { what: 'Disk in GiB', least: 0, most: 1_048_576, isWhole: true }),
    nets: netsProblem(draft),
    ports: portsProblem(draft.ports),
    mounts: mountsProblem(draft.mounts, Number(draft.count) > 1 ? exclusiveVolumes : new Set()),
    environment: pairsProblem(draft.environment, 'variable'),
    labels: pairsProblem(draft.labels, 'label'),
    command: wordsOfLine(draft.command) === null ? 'A quote is opened and not closed.' : null,
    retries: retriesProblem(draft),
  }
  return Object.fromEntries(Object.entries(problems).filter(([, problem]) => problem !== null)) as Problems
}

const noProblems: Record<keyof Draft, null> = {
  image: null,
  registry: null,
  name: null,
  count: null,
  zone: null,
  size: null,
  cpu: null,
  memory: null,
  disk: null,
  nets: null,
  groups: null,
  ports: null,
  mounts: null,
  environment: null,
  labels: null,
  command: null,
  restart: null,
  retries: null,
  autoRemove: null,
  interactive: null,
}

function imageProblem(image: string): string | null {
  if (image.trim() === '') return 'A container needs an image.'
  if (/\s/.test(image.trim())) return 'The name of an image has no blanks.'
  return image.length > 512 ? 'The name of an image has at most 512 characters.' : null
}

function nameProblem(name: string): string | null {
  if (name === '') return null
  if (name.length < 2 || name.length > 255) return 'A name has 2 to 255 characters.'
  if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(name)) return null
  return 'A name begins with a letter or digit and goes on with letters, digits, “_”, “.” and “-”.'
}

interface Range {
  readonly what: string
  readonly least: number
  readonly most: number
  readonly isWhole?: boolean
}

function rangeProblem(text: string, { what, least, most, isWhole = false }: Range): string | null {
  const number = Number(text)
  if (text.trim() === '' || !Number.isFinite(number)) return `${what} must be a number.`
  if (isWhole && !Number.isInteger(number)) return `${what} must be a whole number.`
  if (number >= least && number <= most) return null
  return `${what} must be between ${least} and ${most.toLocaleString('en')}.`
}

function netsProblem({ nets, count }: Draft): string | null {
  if (nets.some(({ network }) => network === '')) return 'Choose a network in each line.'
  const wrong = nets.find(({ address }) => address !== '' && !/^[0-9a-fA-F:.]{2,45}$/.test(address))
  if (wrong) return `${wrong.address} is no address.`
  const fixed = nets.some(({ address }) => address !== '')
  return fixed && Number(count) > 1 ? 'Several containers cannot have the same address; leave it empty.' : null
}

function portsProblem(text: string): string | null {
  for (const port of portsOf(text)) {
    const match = /^(\d{1,5})\/(tcp|udp|sctp)$/.exec(port)
    const number = Number(match?.[1])
    if (!match || number < 1 || number > 65_535) return `${port} is no port; write 80, 443/tcp or 53/udp.`
  }
  return null
}

/** Each with its protocol, which is tcp if none is told. */
export function portsOf(text: string): string[] {
  const words = text.split(/[\s,]+/).filter((word) => word !== '')
  return words.map((word) => (word.includes('/') ? word : `${word}/tcp`))
}

function mountsProblem(mounts: readonly MountDraft[], exclusive: ReadonlySet<string>): string | null {
  for (const { volume, size, destination } of mounts) {
    const problem =
      volume === ''
        ? rangeProblem(size, { what: 'The size of a new volume in GiB', least: 1, most: 1_048_576, isWhole: true })
        : null
    if (problem !== null) return problem
    if (!destination.startsWith('/')) return 'A volume is mounted at an absolute path, as /data.'
    if (exclusive.has(volume)) return 'A volume is in one container at a time; launch one, or give each a new volume.'
  }
  const paths = mounts.map(({ destination }) => destination)
  return new Set(paths).size < paths.length ? 'Two volumes are mounted at the same path.' : null
}

function pairsProblem(pairs: readonly PairDraft[], what: 'variable' | 'label'): string | null {
  const keys = pairs.map(({ key }) => key)
  if (keys.includes('')) return `Each ${what} needs a name.`
  if (what === 'variable' && keys.some((key) => key.includes('='))) return 'The name of a variable has no “=” in it.'
  const twice = keys.find((key, index) => keys.indexOf(key) !== index)
  return twice === undefined ? null : `${twice} is there twice.`
}

function retriesProblem({ restart, retries }: Draft): string | null {
  if (restart !== 'on-failure' || retries === '') return null
  return rangeProblem(retries, { what: 'The number of tries', least: 0, most: 1_000_000, isWhole: true })
}
