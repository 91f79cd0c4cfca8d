import { describe, expect, test } from 'vitest'
import { readOptions, UsageError } from './options.ts'

const least = ['--join', 'cloud:7000', '--state', '/s']

describe('agent options', () => {
  test('come from the command line, then the environment, then what is usual', () => {
    expect(readOptions([...least, '--label', 'a=b=c', '--label', 'd='], {})).toMatchObject({
      servers: ['cloud:7000'],
      stateDir: '/s',
      engineSocket: null,
      joinToken: null,
      labels: { a: 'b=c', d: '' },
      startsAtOnce: 8,
      allowPrivileged: false,
    })
    const env = { DOCKER_HOST: 'unix:///d', GANTRY_JOIN_TOKEN: 't', GANTRY_HOME: '/h' }
    expect(readOptions(['--join', '[::1]:80', '--engine', '/p'], env)).toMatchObject({
      servers: ['[::1]:80'],
      stateDir: '/h/agent',
      engineSocket: '/p',
      joinToken: 't',
    })
    expect(readOptions(['--join', 'a', '--token', 'typed'], env)).toMatchObject({
      engineSocket: '/d',
      joinToken: 'typed',
    })
  })

  test('take servers in every way that one may write them, each once', () => {
    const { servers } = readOptions(
      ['--join', 'a,b:1,[fd00::1]', '--join', 'https://c:2/', '--join=https://a', '--server', '10.0.0.1:9'],
      {},
    )
    expect(servers).toEqual(['a:9702', 'b:1', '[fd00::1]:9702', 'c:2', '10.0.0.1:9'])
  })

  test.each([
    [['--state', '/s'], 'Which servers'],
    [['--join', ','], 'Which servers'],
    [['--join', 'a b'], '"a b" is no address of a server'],
    [['--join', 'fd00::1'], 'is no address'],
    [['--join', 'a:70000'], 'is no address'],
    [[...least, '--engine', 'tcp://h:1'], 'must be on this machine'],
    [[...least, '--label', '=x'], 'is not a label'],
    [[...least, '--starts', '0'], 'whole number'],
    [[...least, '--bogus'], 'bogus'],
  ])('%j is refused with a sentence', (args, sentence) => {
    expect(() => readOptions(args, {})).toThrow(UsageError)
    expect(() => readOptions(args, {})).toThrow(sentence)
  })
})
