import { expect, test } from 'vitest'
import { readPlacement } from './placement-options.ts'

test('without options hosts share the load, and nothing of a lost host is moved', () => {
  expect(readPlacement({})).toEqual({
    placement: 'spread',
    containersPerHost: null,
    diskRatio: 1,
    evacuate: 'never',
    evacuateAfterSeconds: 120,
    fenceCommand: null,
  })
  expect(readPlacement({ placement: 'fill', 'containers-per-host': '10', evacuate: 'auto' })).toMatchObject({
    placement: 'fill',
    containersPerHost: 10,
    evacuate: 'auto',
  })
})

test.each([
  [{ placement: 'random' }, /fill or spread/],
  [{ evacuate: 'yes' }, /never, auto or all/],
  [{ 'evacuate-after': '5' }, /whole number from 20/],
  [{ 'containers-per-host': '0' }, /whole number from 1/],
  [{ 'disk-ratio': '-1' }, /above 0/],
])('%j is refused with a sentence', (values, sentence) => {
  expect(() => readPlacement(values)).toThrow(sentence)
})
