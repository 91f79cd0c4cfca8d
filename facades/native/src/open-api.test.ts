import { createHttpApp } from '@gantry/http'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { nativeFacade } from './index.ts'
import { fakeCertificates, fakeDockerPorts } from './testing/fake-certificates.ts'
import { fakeNamespaces } from './testing/fake-images.ts'
import { fakeCloud } from './testing/index.ts'

interface Operation {
  summary?: string
  operationId?: string
  tags?: string[]
  parameters?: { name: string; in: string; required?: boolean; schema?: object }[]
  responses: Record<string, { description: string; content?: object }>
}
interface Document {
  openapi: string
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, object>; securitySchemes: Record<string, object> }
  tags: { name: string }[]
}

async function documentOf(): Promise<{ document: Document; routes: string[] }> {
  const routes: string[] = []
  const app = createHttpApp({ log: pino({ level: 'silent' }) })
  app.addHook('onRoute', ({ method, url }) => {
    for (const one of [method].flat()) {
      if (one !== 'HEAD' && url.startsWith('/v1/')) routes.push(`${one} ${url.replace(/:(\w+)/g, '{$1}')}`)
    }
  })
  const createJoinToken = async () => ({ token: '', expiresAt: 0 })
  await app.register(nativeFacade, {
    ...fakeCloud(),
    createJoinToken,
    certificates: fakeCertificates(),
    dockerPorts: fakeDockerPorts,
    namespaces: fakeNamespaces,
    whenRevoked: async () => () => undefined,
  })
  const response = await app.inject('/openapi.json')
  await app.close()
  return { document: response.json<Document>(), routes }
}

function walk(node: unknown, visit: (object: Record<string, unknown>, path: string) => void, path = '#'): void {
  if (typeof node !== 'object' || node === null) return
  if (!Array.isArray(node)) visit(node as Record<string, unknown>, path)
  for (const [key, value] of Object.entries(node)) walk(value, visit, `${path}/${key}`)
}

test('the document is OpenAPI 3.1 whose references all resolve', async () => {
  const { document } = await documentOf()
  expect(document.openapi).toBe('3.1.0')
  let references = 0
  walk(document, (object, path) => {
    const ref = object['$ref']
    if (typeof ref !== 'string') return
    references += 1
    const name = /^#\/components\/schemas\/(\w+)$/.exec(ref)?.[1] ?? ''
    expect(document.components.schemas, `${path} -> ${ref}`).toHaveProperty(name)
  })
  expect(references).toBeGreaterThan(40)
  walk(document.components.schemas, (object, path) => {
    expect(object, path).not.toHaveProperty('nullable')
    expect(object, path).not.toHaveProperty('~kind')
  })
  expect(Object.keys(document.components.schemas)).toContain('Error')
  expect(Object.keys(document.components.securitySchemes)).toEqual(['token', 'bearer'])
})

test('every operation says what it is, and names all its path parameters', async () => {
  const { document } = await documentOf()
  const ids = new Set<string>()
  const tags = document.tags.map((tag) => tag.name)
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const where = `${method} ${path}`
      expect(operation.summary, where).toMatch(/^[A-Z].+[^.]$/)
      expect(operation.operationId, where).toMatch(/^[a-z]\w+$/)
      expect(ids.has(operation.operationId ?? ''), where).toBe(false)
      ids.add(operation.operationId ?? '')
      expect(tags, where).toContain(operation.tags?.[0])
      expect(operation.responses, where).toHaveProperty('default')
      for (const response of Object.values(operation.responses)) expect(response.description, where).toMatch(/\w/)
      const named = (operation.parameters ?? []).filter((one) => one.in === 'path').map((one) => one.name)
      const asked = [...path.matchAll(/\{(\w+)\}/g)].map((one) => one[1])
      expect(named.sort(), where).toEqual(asked.sort((a = '', b = '') => a.localeCompare(b)))
    }
  }
})

test('every route of the façade is in it, and nothing else', async () => {
  const { document, routes } = await documentOf()
  const documented = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  )
  expect(routes.length).toBeGreaterThan(38)
  expect(documented.sort()).toEqual(routes.sort())
})
