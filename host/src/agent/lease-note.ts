import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ContainerId } from '@gantry/model'
import Type, { type Static } from 'typebox'
import { Value } from 'typebox/value'

const id = Type.Unsafe<ContainerId>(Type.String())
const Note = Type.Object({
  /** Uptimes count from a start of the machine. */
  boot: Type.String(),
  contact: Type.Number(),
  /** Containers that may not run until a server names them. */
  over: Type.Array(id),
  /** Starts that were ended, by the engine's time of them. */
  ended: Type.Array(Type.Tuple([id, Type.String()])),
})
type Note = Static<typeof Note>

/** What an agent must still know about leases after it was killed. */
export interface LeaseNote {
  /** `contact`: uptime at the last sign of a server; before all time if there is none since the machine was started. */
  read(): Omit<Note, 'boot'>
  write(note: Omit<Note, 'boot'>): void
}

const nothing = { contact: Number.NEGATIVE_INFINITY, over: [], ended: [] }

/** A small file, replaced as a whole. One that was lost only means that leases are over. */
export function leaseNote(folder: string, boot: string = bootId()): LeaseNote {
  const path = join(folder, 'leases.json')
  return {
    read() {
      try {
        const note: unknown = JSON.parse(readFileSync(path, 'utf8'))
        if (!Value.Check(Note, note)) return nothing
        const { contact, over, ended } = note
        return { contact: note.boot === boot ? contact : nothing.contact, over, ended }
      } catch {
        return nothing
      }
    },
    write(note) {
      mkdirSync(folder, { recursive: true })
      writeFileSync(`${path}.new`, JSON.stringify({ boot, ...note }))
      renameSync(`${path}.new`, path)
    },
  }
}

function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
}
