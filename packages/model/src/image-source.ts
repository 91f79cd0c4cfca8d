import Type, { type Static } from 'typebox'

/**
 * An image as a host asks for it, at the registry endpoint of its own agent. `pass` says what for, and is good for this host
 * only: the engine shows it as a password.
 */
export const ImageSource = Type.Object({
  /** Below the endpoint's address. */
  repository: Type.String({ minLength: 1 }),
  /** A digest, or a tag. */
  reference: Type.String({ minLength: 1 }),
  pass: Type.String({ minLength: 1 }),
})
export type ImageSource = Static<typeof ImageSource>
