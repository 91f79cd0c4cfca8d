import { expand, flagsOf, type Instruction, type Lookup, needsBuildKit, splitPair, wordList } from '@gantry/dockerfile'

/** A COPY or ADD with its variables resolved. */
export interface CopyCommand {
  readonly name: 'COPY' | 'ADD'
  readonly sources: readonly string[]
  readonly destination: string
  /** null: nobody is named. */
  readonly chown: string | null
  /** A stage or an image; null: the context. */
  readonly from: string | null
}

/** Throws `BuildError` for options that the classic builder does not know. */
export function copyCommand(instruction: Instruction, lookup: Lookup, escape: string): CopyCommand {
  const name = instruction.name === 'ADD' ? 'ADD' : 'COPY'
  for (const flag of instruction.flags) {
    const option = splitPair(flag).name
    if (newer.has(option)) throw needsBuildKit(`--${option}`)
  }
  const flags = flagsOf(instruction, name === 'COPY' ? ['chown', 'from'] : ['chown'])
  const words = wordList(instruction.rest).map((word) => expand(word, lookup, escape))
  const chown = flags.get('chown')
  return {
    name,
    sources: words.slice(0, -1),
    destination: words.at(-1) ?? '',
    chown: chown === undefined ? null : expand(chown, lookup, escape),
    from: flags.get('from') ?? null,
  }
}

const newer = new Set(['chmod', 'link', 'parents', 'exclude', 'checksum', 'keep-git-dir', 'unpack'])
