import type { Draft, PairDraft } from './draft.ts'
import { wordsOfLine } from './shell-words.ts'

/** What is wrong with each field; a field that is well is not in it. */
export type Problems = Readonly<Partial<Record<keyof Draft, string>>>

/** What no request can say, so that only the form can. All else the server says (rehearsal.ts), in its own words. Pure. */
export function problemsOf(draft: Draft): Problems {
  const problems = {
    image: draft.image.trim() === '' ? 'A container needs an image.' : null,
    environment: pairsProblem(draft.environment, 'variable'),
    labels: pairsProblem(draft.labels, 'label'),
    command: wordsOfLine(draft.command) === null ? 'A quote is opened and not closed.' : null,
  } satisfies Partial<Record<keyof Draft, string | null>>
  return Object.fromEntries(Object.entries(problems).filter(([, problem]) => problem !== null)) as Problems
}

/** Of two with the same name, the body holds the last one alone. */
function pairsProblem(pairs: readonly PairDraft[], what: 'variable' | 'label'): string | null {
  const keys = pairs.map(({ key }) => key)
  if (keys.includes('')) return `Each ${what} needs a name.`
  const twice = keys.find((key, index) => keys.indexOf(key) !== index)
  return twice === undefined ? null : `${twice} is there twice.`
}
