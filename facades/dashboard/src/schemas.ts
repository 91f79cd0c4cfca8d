import Type, { type Static } from 'typebox'

const exact = { additionalProperties: false }
const Name = Type.String({ minLength: 1, maxLength: 255 })

/** How a person proves who she is. */
export const SignIn = Type.Union([
  Type.Object(
    {
      user: Name,
      password: Type.String({ minLength: 1, maxLength: 4096 }),
      domain: Type.Optional(Type.String({ maxLength: 255, description: 'Of the user; Default if left out.' })),
      project: Type.Optional(
        Type.String({ maxLength: 255, description: 'By name or id; the first of hers if left out.' }),
      ),
    },
    exact,
  ),
  Type.Object(
    {
      credential: Name,
      secret: Type.String({ minLength: 1, maxLength: 4096, description: 'Of an application credential.' }),
    },
    exact,
  ),
])
export type SignIn = Static<typeof SignIn>

export const SwitchProject = Type.Object({ project: Type.String({ minLength: 1, maxLength: 255 }) }, exact)

/** To whom is signed out although her token could not be revoked: the identity service is away. */
export interface SignedOutView {
  readonly revoked: false
  readonly message: string
}

/** Who is signed in, and what its page must show with each change. */
export interface SessionView {
  readonly user: { readonly id: string; readonly name: string }
  readonly project: { readonly id: string; readonly name: string }
  readonly projects: readonly { readonly id: string; readonly name: string }[]
  readonly roles: readonly string[]
  readonly isAdmin: boolean
  /** ISO 8601. */
  readonly expiresAt: string
  /** For the header `X-CSRF-Token` of every request that changes something. */
  readonly csrf: string
  /** Users and projects are kept by this server, at `/identity/v3`. */
  readonly ownIdentity: boolean
  readonly version: string
}
