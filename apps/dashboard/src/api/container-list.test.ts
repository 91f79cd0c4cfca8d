import type { ChangeView, ContainerView } from '@gantry/facade-native/views'
import { InfiniteQueryObserver, QueryClient } from '@tanstack/react-query'
import { afterEach, expect, test, vi } from 'vitest'
import { keepContainerList, showContainer } from './container-list.ts'
import { type ContainerPage, containersQuery } from './nouns.ts'

const view = (id: string, status = 'Running') =>
  ({ id, name: id, status, task: null, addresses: [] }) as unknown as ContainerView
const change = (objectId: string, type: string, data: ChangeView['data']) =>
  ({
    id: 'evt_1',
    cursor: '1',
    at: '',
    type,
    projectId: 'p',
    userId: null,
    requestId: null,
    objectId,
    data,
  }) satisfies ChangeView

afterEach(() => vi.unstubAllGlobals())

/** A server whose answers the test gives, in the order of the questions. */
function answering(answer: (path: string) => unknown) {
  const asked: string[] = []
  vi.stubGlobal('fetch', async (path: string) => {
    asked.push(path)
    const body = await answer(path)
    return body === undefined
      ? new Response('{"error":{"message":"gone"}}', { status: 404 })
      : new Response(JSON.stringify(body))
  })
  return asked
}

async function listOf(...containers: ContainerView[]) {
  const client = new QueryClient({ defaultOptions: { queries: { retry: false, staleTime: Number.POSITIVE_INFINITY } } })
  const pages: ContainerPage[] = [{ containers, next: null }]
  client.setQueryData(containersQuery.queryKey, { pages, pageParams: [null] })
  const shown = () => client.getQueryData(containersQuery.queryKey)?.pages.flatMap((page) => page.containers) ?? []
  return { client, shown, list: keepContainerList(client) }
}

test('a change is written into the list without a question to the server', async () => {
  const asked = answering(() => undefined)
  const { list, shown } = await listOf(view('a'), view('b'))
  list.take([
    change('a', 'container.stop.start', { status: 'Running', task: 'container_stopping', host: 'h1' }),
    change('b', 'container.delete.end', { status: 'Deleted' }),
  ])
  expect(shown()).toEqual([{ ...view('a'), task: 'container_stopping' }])
  expect(asked).toEqual([])
})

test('one that is new is asked for alone, and comes first', async () => {
  const asked = answering((path) => view(path.split('/').at(-1) ?? ''))
  const { list, shown } = await listOf(view('a'))
  list.take([change('new', 'container.create.start', { status: 'Creating' })])
  await vi.waitFor(() => expect(shown().map(({ id }) => id)).toEqual(['new', 'a']))
  expect(asked).toEqual(['/v1/containers/new'])
})

test('a member of a capsule is no entry', async () => {
  const asked = answering(() => undefined)
  const { list, shown } = await listOf(view('a'))
  list.take([change('m', 'container.create.end', { status: 'Running', capsuleId: 'c' })])
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect([asked, shown().length]).toEqual([[], 1])
})

test('hundreds that are new are asked for at once', async () => {
  const many = Array.from({ length: 300 }, (_, n) => `n${n}`)
  const asked = answering(() => ({ containers: many.map((id) => view(id)), next: null }))
  const { list, shown } = await listOf(view('a'))
  list.take(many.map((id) => change(id, 'container.create.end', { status: 'Running' })))
  await vi.waitFor(() => expect(shown()).toHaveLength(301))
  expect(asked).toEqual(['/v1/containers?limit=1000'])
})

test('what happens while a page is being read is not lost to an older answer', async () => {
  const gate = Promise.withResolvers<ContainerPage>()
  const broken = { ...view('a', 'Error'), statusReason: 'no room' }
  answering((path) => (path.includes('?') ? gate.promise : path.endsWith('/a') ? broken : undefined))
  const { client, list, shown } = await listOf()
  client.removeQueries()
  const stop = new InfiniteQueryObserver(client, containersQuery).subscribe(() => undefined)
  await vi.waitFor(() => expect(client.isFetching()).toBe(1))
  list.take([
    change('a', 'container.status', { status: 'Error', statusReason: 'no room' }),
    change('b', 'container.delete.end', { status: 'Deleted' }),
  ])
  gate.resolve({ containers: [view('a'), view('b')], next: null })
  await vi.waitFor(() => expect(client.isFetching()).toBe(0))
  await vi.waitFor(() => expect(shown()).toEqual([broken]))
  stop()
  list.stop()
})

const everyone = { queryKey: ['container', 'all', {}], isWhole: false, takesNew: true, most: 3 }
const newestOf = (...ids: string[]) => vi.fn(async () => ({ containers: ids.map((id) => view(id)), next: null }))

function listOfAll(newest: () => Promise<ContainerPage>, ...pages: string[][]) {
  const client = new QueryClient()
  const made = pages.map((ids) => ({ containers: ids.map((id) => view(id)), next: ids.at(-1) ?? null }))
  client.setQueryData(everyone.queryKey, { pages: made, pageParams: pages.map(() => null) })
  const data = () => client.getQueryData<{ pages: ContainerPage[] }>(everyone.queryKey)
  const shown = () => data()?.pages.map((page) => page.containers.map(({ id }) => id))
  return { client, shown, data, list: keepContainerList(client, { ...everyone, newest }) }
}

test('into a list that the server filters comes only what it finds, however much is new elsewhere', async () => {
  const asked = answering(() => undefined)
  const newest = newestOf('fits', 'a')
  const { list, shown } = listOfAll(newest, ['a'])
  const many = Array.from({ length: 500 }, (_, n) => change(`x${n}`, 'container.create.start', { status: 'Creating' }))
  list.take([...many, change('fits', 'container.create.start', { status: 'Creating' })])
  await vi.waitFor(() => expect(shown()).toEqual([['fits', 'a']]))
  expect([asked, newest.mock.calls.length]).toEqual([[], 1])
  list.stop()
})

test('a list of all projects does not grow without end: the last page goes first, then the end of the first', async () => {
  answering(() => undefined)
  const { list, shown } = listOfAll(newestOf('d', 'c', 'a'), ['a'], ['b'])
  list.take(['c', 'd'].map((id) => change(id, 'container.create.start', { status: 'Creating' })))
  await vi.waitFor(() => expect(shown()).toEqual([['d', 'c', 'a']]))
  list.stop()
  const full = listOfAll(newestOf('e'), ['a', 'b', 'c'])
  full.list.take([change('e', 'container.create.start', { status: 'Creating' })])
  await vi.waitFor(() => expect(full.shown()).toEqual([['e', 'a', 'b']]))
  expect(full.data()?.pages[0]?.next).toBe('b')
  full.list.stop()
})

test("what was asked of another project's container is shown where it is listed, and not in the own list", async () => {
  const { client, shown } = await listOf(view('mine'))
  client.setQueryData(everyone.queryKey, { pages: [{ containers: [view('theirs')], next: null }], pageParams: [null] })
  showContainer(client, view('theirs', 'Stopped'))
  expect(shown().map(({ id }) => id)).toEqual(['mine'])
  const all = client.getQueryData<{ pages: ContainerPage[] }>(everyone.queryKey)
  expect(all?.pages[0]?.containers[0]?.status).toBe('Stopped')
})
