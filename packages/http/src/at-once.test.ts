import { expect, test } from 'vitest'
import { atOnce } from './at-once.ts'

test('a project has at most half of the places, all have all of them, and a place comes back once', () => {
  const told: string[] = []
  const places = atOnce(4, 'streams', (limit) => told.push(limit))
  const [first] = [places.takeOf('p1'), places.takeOf('p1')]
  expect(() => places.takeOf('p1')).toThrow('Too many streams of your project at the same time; try again in 1 s.')
  places.takeOf('p2')
  first()
  first()
  places.takeOf('p1')
  expect(() => places.takeOf('p1')).toThrow('of your project')
  const all = Array.from({ length: 4 }, () => places.take())
  expect(() => places.take()).toThrow('The server has 4 streams under way')
  for (const end of all) end()
  places.take()
  expect(told).toEqual([
    'streams of your project at the same time',
    'streams of your project at the same time',
    'streams at the same time',
  ])
})

test('without a limit there is none', () => {
  const places = atOnce(0, 'requests', () => undefined)
  for (let count = 0; count < 10_000; count += 1) {
    places.take()
    places.takeOf('p')
  }
})
