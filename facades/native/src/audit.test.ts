import { expect, test } from 'vitest'
import { serveFakeCloud } from './testing/serve.ts'

async function asked(query: string, token = 'admin-token') {
  await using cloud = await serveFakeCloud()
  const answer = await fetch(`http://127.0.0.1:${cloud.port}/v1/audit${query}`, { headers: { 'x-auth-token': token } })
  return { status: answer.status, body: (await answer.json()) as Record<string, never> }
}

test('a page of the audit has the records as they were written, and where the next begins', async () => {
  const { status, body } = await asked('?user=ann&action=update*&outcome=failure&since=2026-11-29T00:00:00Z&limit=7')
  expect(status).toBe(200)
  expect(body).toMatchObject({
    next: '1.2',
    records: [{ id: 'req-1', action: 'delete', initiator: { name: 'admin', host: { agent: 'a test' } } }],
  })
  const [{ requestPath }] = body['records'] as unknown as [{ requestPath: string }]
  expect(JSON.parse(requestPath)).toEqual({
    user: 'ann',
    action: 'update*',
    outcome: 'failure',
    since: Date.UTC(2026, 10, 29),
    limit: 7,
  })
})

test.each([
  '?since=yesterday',
  '?until=2026-99-99',
  '?limit=0',
  '?limit=1001',
  '?outcome=bad',
  '?user=%00',
  '?user=',
  '?nosuch=1',
])('%s is refused in words', async (query) => {
  const { status, body } = await asked(query)
  expect(status).toBe(400)
  expect(body['error']).toHaveProperty('message')
})

test('who is no administrator is refused, also where another project is named that is not there', async () => {
  for (const query of ['', '?project=project-demo', '?project=project-other', '?project=nosuch']) {
    expect((await asked(query, 'demo-token')).status).toBe(403)
  }
})
