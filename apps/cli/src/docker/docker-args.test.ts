import { describe, expect, test } from 'vitest'
import { dockerArgs } from './docker-args.ts'

const after = (line: string) => dockerArgs(line.split(' ')).args.join(' ')

describe('the address of the network public', () => {
  test.each([
    ['run -p pub:222:22 nginx', 'run -p 222:22 nginx'],
    ['run -ppub:222:22 nginx', 'run -p222:22 nginx'],
    ['run -p=pub:222:22/udp nginx', 'run -p=222:22/udp nginx'],
    ['create --publish pub:80:80 nginx', 'create --publish 80:80 nginx'],
    ['container run --publish=pub:80:80 nginx', 'container run --publish=80:80 nginx'],
    ['run -p pub::22 nginx', 'run -p 22 nginx'],
    ['run -d -p public:1-3:1-3 -p pub:9:9 nginx', 'run -d -p 1-3:1-3 -p 9:9 nginx'],
    ['--log-level debug run -p pub:222:22 nginx', '--log-level debug run -p 222:22 nginx'],
  ])('%s', (line, expected) => expect(after(line)).toBe(expected))

  test.each([
    'run -p 10.0.0.1:222:22 nginx',
    'run -p 22 nginx',
    'ps -p pub:222:22',
    'exec web tool -p pub:222:22',
    'compose run -p pub:1:2 web',
    'run --name pub:1:2 nginx',
  ])('nothing else changes: %s', (line) => expect(after(line)).toBe(line))
})

test.each([
  '-H tcp://a ps',
  '-Htcp://a ps',
  '--host=tcp://a ps',
  '--context x ps',
  '-c x ps',
  '--log-level info -H a ps',
])('this cloud’s credentials go nowhere else: %s', (line) =>
  expect(() => after(line)).toThrow('always asks this cloud'),
)

test.each(['run -h web nginx', '--help', '-v', 'exec -it web sh -c true', 'run nginx -H x'])(
  'options of commands are their own: %s',
  (line) => expect(after(line)).toBe(line),
)
