import type { TarHeader } from 'modern-tar'

export interface Entry {
  readonly name: string
  readonly kind: 'folder' | 'file' | 'link' | 'other'
  /** Bytes. */
  readonly size: number
  /** Epoch milliseconds. */
  readonly changedAt: number
  /** `rwxr-xr-x`. */
  readonly mode: string
}

/**
 * Lists a folder with what both GNU and BusyBox have. A name may hold anything but a slash, ends of line too; so two slashes end each
 * record without doubt.
 */
export function findCommand(path: string): readonly string[] {
  const folder = path === '/' ? '/.' : `${path}/.`
  return ['find', folder, '-mindepth', '1', '-maxdepth', '1', '-exec', 'stat', '-c', '%f %s %Y %n//', '{}', '+']
}

/** Of what `findCommand` writes. */
export function entriesOfStat(output: string): readonly Entry[] {
  return output.split('//\n').flatMap((record) => {
    const match = /^([0-9a-f]+) (\d+) (\d+) ([^]*)$/.exec(record)
    if (!match) return []
    const mode = Number.parseInt(match[1] ?? '', 16)
    const name = (match[4] ?? '').split('/').at(-1) ?? ''
    const kind = kinds[mode & 0o170000] ?? 'other'
    return [{ name, kind, size: Number(match[2]), changedAt: Number(match[3]) * 1000, mode: modeText(mode) }]
  })
}

/** stat(2), S_IFMT. */
const kinds: Readonly<Record<number, Entry['kind']>> = { 0o040000: 'folder', 0o100000: 'file', 0o120000: 'link' }

/** Of an archive's entry below the folder itself; one that lies deeper tells of the folder it is in. */
export function entryOfHeader({ name, size, type = 'file', mode = 0, mtime }: TarHeader): Entry | undefined {
  const [first, ...deeper] = name.replace(/^(\.\/)+/, '').split('/')
  if (!first || first === '.') return undefined
  const isDeeper = deeper.some((part) => part !== '')
  if (isDeeper) return { name: first, kind: 'folder', size: 0, changedAt: 0, mode: '' }
  const kind =
    type === 'directory'
      ? 'folder'
      : type === 'symlink'
        ? 'link'
        : type === 'file' || type === 'link'
          ? 'file'
          : 'other'
  return { name: first, kind, size, changedAt: mtime?.getTime() ?? 0, mode: modeText(mode) }
}

function modeText(mode: number): string {
  return [6, 3, 0]
    .map((shift) => 'rwx'.replace(/./g, (letter, at: number) => ((mode >> shift) & (4 >> at) ? letter : '-')))
    .join('')
}

const words = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' })

/** Folders first, then by name. */
export function sorted(entries: readonly Entry[]): readonly Entry[] {
  const rank = ({ kind }: Entry) => (kind === 'folder' ? 0 : 1)
  return [...entries].sort((a, b) => rank(a) - rank(b) || words.compare(a.name, b.name))
}

/** The path of something in a folder, and of the folder around it. */
export function joined(folder: string, name: string): string {
  return folder === '/' ? `/${name}` : `${folder}/${name}`
}

/** What was typed, as an absolute path without dots and doubled slashes. */
export function normal(typed: string): string {
  const parts: string[] = []
  for (const part of typed.trim().split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return `/${parts.join('/')}`
}
