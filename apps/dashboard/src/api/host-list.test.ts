import type { HostView } from '@gantry/facade-native/views'
import { QueryClient } from '@tanstack/react-query'
import { expect, test } from 'vitest'
import { keepHostList } from './host-list.ts'
import { hostsQuery } from './nouns.ts'

const host = (id: string, containers: number) => ({ id, used: { containers } }) as unknown as HostView

function aList(hosts?: HostView[]) {
  const client = new QueryClient({ defaultOptions: { queries: { retry: false, staleTime: Number.POSITIVE_INFINITY } } })
  if (hosts) client.setQueryData(hostsQuery.queryKey, hosts)
  const list = keepHostList(client)
  const shown = () => client.getQueryData(hostsQuery.queryKey)?.map(({ id, used }) => `${id} ${used.containers}`)
  return { client, list, shown }
}

test('hosts that were told are shown as they are now; new ones come last, forgotten ones go', () => {
  const { list, shown } = aList([host('a', 0), host('b', 0)])
  list.take([host('b', 3), host('c', 1)])
  expect(shown()).toEqual(['a 0', 'b 3', 'c 1'])
  list.drop('a')
  list.drop('c')
  expect(shown()).toEqual(['b 3'])
})

test('an answer that was made before does not undo what was told meanwhile', async () => {
  const { client, list, shown } = aList()
  const answer = Promise.withResolvers<HostView[]>()
  const read = client.fetchQuery({ ...hostsQuery, queryFn: () => answer.promise })
  list.take([host('a', 5)])
  expect(shown()).toBeUndefined()
  answer.resolve([host('a', 0), host('b', 0)])
  await read
  expect(shown()).toEqual(['a 5', 'b 0'])
})

test('after the stream broke off, only what is told anew counts', async () => {
  const { client, list, shown } = aList([host('a', 0)])
  list.take([host('a', 5), host('gone', 1)])
  list.forget()
  await client.fetchQuery({ ...hostsQuery, staleTime: 0, queryFn: async () => [host('a', 6)] })
  expect(shown()).toEqual(['a 6'])
})
