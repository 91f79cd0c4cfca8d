import { expect } from 'vitest'

/** Zun's error body with one error of this code; `''` for routing errors and what failed inside. */
export function oneError(kebab: string, status: number, extra: object = {}): object {
  const sentence = expect.stringMatching(/\S/)
  const error = { request_id: '', code: `container.${kebab}`, status, title: sentence, detail: sentence, links: [] }
  return { errors: [{ ...error, ...extra }] }
}
