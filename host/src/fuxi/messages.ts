import Type, { type Static } from 'typebox'
import { PluginRefusal } from '../network/plugin-server.ts'

/** Bodies of Docker's volume plugin protocol; what is not used here is left out. */

const Name = Type.String()

export const CreateVolume = Type.Object({
  Name,
  /** What `--opt` says; null: nothing. */
  Opts: Type.Optional(Type.Union([Type.Null(), Type.Record(Type.String(), Type.String())])),
})
export type CreateVolume = Static<typeof CreateVolume>

export const OfVolume = Type.Object({ Name })

/** `ID` is Docker's for one use by one container; the same one comes back when that ends. */
export const OfMount = Type.Object({ Name, ID: Type.String() })
export type OfMount = Static<typeof OfMount>

/**
 * The name, if it may be one: it becomes a folder's, and engines check only those of their own driver.
 */
export function checkedName(name: string): string {
  if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,199}$/.test(name)) return name
  throw new PluginRefusal(
    400,
    `"${name}" cannot be a volume's name: letters, digits, "_", "." and "-", at most 200, the first a letter or a digit.`,
  )
}
