import { Button, Grid, Group, Stack } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { type FormEvent, useMemo, useState } from 'react'
import { call } from '../../api/client.ts'
import { volumesQuery } from '../../api/nouns.ts'
import { counted } from '../../parts/amounts.ts'
import { Failure } from '../../parts/failure.tsx'
import { Page } from '../../parts/page.tsx'
import { BasicFields } from './basic-fields.tsx'
import { type Problems, problemsOf } from './check-draft.ts'
import { type Draft, newDraft, type Wanted } from './draft.ts'
import { Limits } from './limits.tsx'
import { NetworkFields } from './network-fields.tsx'
import { refusedField } from './refused-field.ts'
import { RunFields } from './run-fields.tsx'
import { Snippets } from './snippets.tsx'
import { StorageFields } from './storage-fields.tsx'
import { wantedOf } from './wanted.ts'

/** What each part of the form is given. */
export interface FieldsProps {
  readonly draft: Draft
  /** Of the fields that were touched. */
  readonly problems: Problems
  readonly onChange: (change: Partial<Draft>) => void
}

/** Asks for new containers. */
export function Launch() {
  const form = useDraft()
  const launching = useLaunch()
  const { draft, problems, isWell } = form
  const wanted = useMemo(() => wantedOf(draft), [draft])
  const submit = (event: FormEvent) => {
    event.preventDefault()
    form.touchAll()
    if (isWell) launching.mutate(wanted)
  }
  const refused = launching.error ? refusedField(launching.error) : {}
  const fields = { draft, problems: { ...refused, ...problems }, onChange: form.change }
  const count = Number.isInteger(wanted.count) && wanted.count > 0 ? wanted.count : 1
  return (
    <Page title="Launch containers">
      <form onSubmit={submit} noValidate>
        <Grid gap="lg">
          <Grid.Col span={{ base: 12, md: 7, xl: 8 }}>
            <Stack gap="lg">
              <BasicFields {...fields} />
              <NetworkFields {...fields} />
              <StorageFields {...fields} />
              <RunFields {...fields} />
            </Stack>
          </Grid.Col>
          <Grid.Col span={{ base: 12, md: 5, xl: 4 }}>
            <Stack gap="lg" pos="sticky" top={68}>
              <Limits wanted={wanted} />
              {launching.error && <Failure error={launching.error} what="Nothing was launched" />}
              <Group>
                <Button type="submit" loading={launching.isPending}>
                  Launch {counted(count, 'container')}
                </Button>
              </Group>
              <Snippets wanted={wanted} />
            </Stack>
          </Grid.Col>
        </Grid>
      </form>
    </Page>
  )
}

function useDraft() {
  const { image } = useSearch({ from: '/launch' })
  const [draft, setDraft] = useState<Draft>({ ...newDraft, ...(image !== undefined && { image }) })
  const [touched, setTouched] = useState<ReadonlySet<string>>(new Set())
  const volumes = useQuery(volumesQuery).data
  const all = useMemo(() => {
    const exclusive = (volumes ?? []).filter(({ multiattach, shared }) => !multiattach && !shared)
    return problemsOf(draft, { exclusiveVolumes: new Set(exclusive.map(({ id }) => id)) })
  }, [draft, volumes])
  const problems: Problems = Object.fromEntries(Object.entries(all).filter(([field]) => touched.has(field)))
  return {
    draft,
    problems,
    isWell: Object.keys(all).length === 0,
    change: (change: Partial<Draft>) => {
      setDraft((known) => ({ ...known, ...change }))
      setTouched((known) => new Set([...known, ...Object.keys(change)]))
    },
    touchAll: () => setTouched(new Set(Object.keys(draft))),
  }
}

function useLaunch() {
  const navigate = useNavigate()
  return useMutation({
    mutationFn: async ({ count, container }: Wanted): Promise<string | null> => {
      if (count === 1) {
        return (await call<{ id: string }>('/v1/containers', { method: 'POST', body: container })).id
      }
      await call('/v1/containers/bulk', { method: 'POST', body: { ...container, count } })
      return null
    },
    onSuccess: (id) => navigate(id === null ? { to: '/containers' } : { to: '/containers/$id', params: { id } }),
  })
}
