import Type, { type Static } from 'typebox'

/** What speaks against hosts for one container. */
export const Verdicts = Type.Object({
  total: Type.Integer({ description: 'How many hosts there are.' }),
  fitting: Type.Integer({ description: 'How many of them would take it.' }),
  reasons: Type.Array(
    Type.Object({
      why: Type.String({ description: 'Reads after a count: "3 are out of memory".' }),
      hosts: Type.Integer({ description: 'How many hosts it refuses first.' }),
      remedy: Type.String({ description: 'What to do about it.' }),
    }),
  ),
  hosts: Type.Array(
    Type.Object({
      id: Type.String(),
      name: Type.String(),
      isThere: Type.Boolean(),
      refusals: Type.Array(Type.String(), { description: 'What speaks against it; empty: it may run there.' }),
    }),
  ),
})
export type VerdictsView = Static<typeof Verdicts>
