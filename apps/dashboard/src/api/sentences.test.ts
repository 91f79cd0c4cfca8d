import { expect, test } from 'vitest'
import { changesOf, merged } from './overview.ts'
import { sentenceOf } from './sentences.ts'

const about = (type: string, data: Record<string, unknown>) => {
  const { name, text, tone } = sentenceOf({ type, objectId: '0f1e2d3c-aaaa', data })
  return `${tone}: ${name} ${text}`
}

test.each([
  ['container.create.start', { name: 'web' }, 'plain: web is being created'],
  ['container.create.end', { name: 'web', error: null }, 'good: web was created'],
  ['container.create.error', { name: 'web', error: 'No host fits.' }, 'bad: web could not be created: No host fits.'],
  ['container.delete.end', {}, 'good: 0f1e2d3c was deleted'],
  ['container.status', { name: 'job', status: 'Stopped', exitCode: 0 }, 'plain: job ended with exit code 0'],
  ['container.status', { name: 'job', status: 'Stopped', exitCode: 137 }, 'bad: job ended with exit code 137'],
  ['container.status', { name: 'job', status: 'Unknown', statusReason: 'Lost.' }, 'bad: job is now Unknown: Lost.'],
  ['volume.update', { name: 'data', status: 'available' }, 'plain: volume data was changed, it is available'],
  ['image.delete', { name: null, repo: 'busybox', tag: '1' }, 'plain: image busybox:1 was deleted'],
  ['floating_ip.create', { address: '172.24.4.9' }, 'plain: floating IP 172.24.4.9 was created'],
  ['port.delete', { name: '', addresses: ['10.0.0.7'] }, 'plain: port 10.0.0.7 was deleted'],
  ['security_group.update', { name: 'web' }, 'plain: security group web was changed'],
  ['backup.update', { name: 'x', status: 'error' }, 'bad: backup x was changed, it is error'],
  ['host.create', { name: 'node-1' }, 'plain: host node-1 was created'],
  ['quota.update', {}, 'plain: The quota was changed'],
  ['something.new', { name: 'x' }, 'plain: something x new'],
])('%s %j is told to a person', (type, data, sentence) => {
  expect(about(type, data)).toBe(sentence)
})

test('the changes of a stream that has ended are read, whatever their names hold', () => {
  const change = { id: 'evt_1', type: 'container.status', data: { name: 'a\n\nevent: change\ndata: {}' } }
  const stream = `: hello\n\nid: 0.1\nevent: change\ndata: ${JSON.stringify(change)}\n\nid: 0.2\nevent: cursor\ndata: {"cursor":"0.2"}\n\n`
  expect(changesOf(stream)).toEqual([change])
})

test('what was both heard and read is told once, newest first', () => {
  const change = (id: string) => ({ id }) as Parameters<typeof merged>[0][number]
  expect(merged([change('3'), change('2')], [change('2'), change('1')], 9).map(({ id }) => id)).toEqual(['3', '2', '1'])
  expect(merged([change('3')], [change('2')], 1).map(({ id }) => id)).toEqual(['3'])
})
