import { expect, test } from 'vitest'
import { problemsOf } from './check-draft.ts'
import { type Draft, newDraft } from './draft.ts'

const good: Draft = { ...newDraft, image: 'nginx' }

test('what needs nothing but an image has no problems', () => {
  expect(problemsOf(good)).toEqual({})
})

test.each<[keyof Draft, Partial<Draft>]>([
  ['image', { image: ' ' }],
  ['environment', { environment: [{ key: '', value: 'x' }] }],
  ['labels', { labels: ['a', 'a'].map((key) => ({ key, value: '' })) }],
  ['command', { command: `sh -c "oops` }],
])('%s of %j is refused with a sentence, and nothing else', (field, part) => {
  const problems = problemsOf({ ...good, ...part })
  expect(Object.keys(problems)).toEqual([field])
  expect(problems[field]).toMatch(/^[A-Za-z0-9].*\.$/)
})
