import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Column, properties, table } from './table.ts'
import { ago, bytes, duration, statusText } from './words.ts'

interface Row {
  readonly id: string
  readonly text: string
}
const columns: Column<Row>[] = [
  { title: 'ID', value: ({ id }) => id },
  { title: 'TEXT', value: ({ text }) => text, shrink: 1 },
  { title: 'MORE', value: ({ text }) => text, shrink: 2 },
]

describe('table', () => {
  test('lines columns up and cuts those that may be cut, in their order', () => {
    const rows = [{ id: '1', text: 'a long text that goes on' }]
    expect(table(rows, columns)).toBe(
      'ID  TEXT                      MORE\n1   a long text that goes on  a long text that goes on\n',
    )
    expect(table(rows, columns, 40)).toBe('ID  TEXT        MORE\n1   a long te…  a long text that goes on\n')
    expect(table(rows, columns, 30)).toBe('ID  TEXT      MORE\n1   a long …  a long text tha…\n')
    expect(table([], columns, 10)).toBe('ID  TEXT  MORE\n')
  })

  test('no value can break a line or reach the terminal as a command', () => {
    const property = fc.property(
      fc.array(fc.record({ id: fc.string(), text: fc.string({ unit: 'binary' }) })),
      (rows) => {
        const printed = table(rows, columns, 60)
        expect(printed.split('\n')).toHaveLength(rows.length + 2)
        expect(printed.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u)
      },
    )
    fc.assert(property)
  })

  test('properties', () => {
    expect(
      properties([
        ['Name', 'web'],
        ['Id', '1'],
      ]),
    ).toBe('Name  web\nId    1\n')
  })
})

describe('words', () => {
  test('durations', () => {
    expect([400, 1000, 59_999, 60_000, 7_200_000, 86_400_000 * 8].map(duration)).toEqual([
      'a moment',
      '1 second',
      '59 seconds',
      '1 minute',
      '2 hours',
      '1 week',
    ])
    expect(ago(null, 0)).toBe('-')
    expect(ago('not a time', 0)).toBe('-')
    expect(ago('1970-01-01T00:00:00Z', 180_000)).toBe('3 minutes ago')
    // A clock that runs behind the server's is no reason for a negative age.
    expect(ago('1970-01-01T00:01:00Z', 0)).toBe('a moment ago')
  })

  test('sizes and states', () => {
    expect([null, 0, 1023, 1536, 5 * 1024 ** 3].map(bytes)).toEqual(['-', '0 B', '1023 B', '1.5 KiB', '5 GiB'])
    const base = { exitCode: null, startedAt: '1970-01-01T00:00:00Z', finishedAt: null, health: null }
    expect(statusText({ ...base, status: 'Running', health: 'healthy' }, 60_000)).toBe('Running for 1 minute (healthy)')
    const finishedAt = '1970-01-01T00:00:00Z'
    expect(statusText({ ...base, status: 'Stopped', exitCode: 3, finishedAt }, 5000)).toBe('Stopped (3) 5 seconds ago')
    expect(statusText({ ...base, status: 'Error' }, 0)).toBe('Error')
  })
})
