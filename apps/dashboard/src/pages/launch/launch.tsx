import { Button, Grid, Group, Stack, Text } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { type FormEvent, useMemo, useState } from 'react'
import { counted } from '../../parts/amounts.ts'
import { Failure } from '../../parts/failure.tsx'
import { Page } from '../../parts/page.tsx'
import { BasicFields } from './basic-fields.tsx'
import { type Problems, problemsOf } from './check-draft.ts'
import { type Draft, newDraft, type Wanted } from './draft.ts'
import { Limits } from './limits.tsx'
import { NetworkFields } from './network-fields.tsx'
import { refusedField } from './refused-field.ts'
import { askFor, useRehearsal } from './rehearsal.ts'
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
  const refusal = useRehearsal(wanted, form.isTouched && isWell)
  const foreseen = refusal ? refusedField(refusal) : {}
  const refused = launching.error ? refusedField(launching.error) : {}
  const onChange = (change: Partial<Draft>) => {
    form.change(change)
    // It spoke of what stood there before.
    launching.reset()
  }
  const fields = { draft, problems: { ...form.ofTouched(foreseen), ...refused, ...problems }, onChange }
  const count = Number.isInteger(wanted.count) && wanted.count > 0 ? wanted.count : 1
  return (
    <Page title="Launch containers">
      <form onSubmit={submit} noValidate style={{ maxWidth: 1680 }}>
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
              {refusal && !launching.error && Object.keys(foreseen).length === 0 && (
                <Text size="sm" role="status">
                  It would be refused: {refusal.message}
                </Text>
              )}
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
  const all = useMemo(() => problemsOf(draft), [draft])
  /** Of what was not touched yet nothing is said. */
  const ofTouched = (problems: Problems): Problems =>
    Object.fromEntries(Object.entries(problems).filter(([field]) => touched.has(field)))
  return {
    draft,
    problems: ofTouched(all),
    ofTouched,
    isWell: Object.keys(all).length === 0,
    isTouched: touched.size > 0,
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
    mutationFn: async (wanted: Wanted): Promise<string | null> => {
      const { id } = await askFor<{ id?: string }>(wanted)
      return id ?? null
    },
    onSuccess: (id) => navigate(id === null ? { to: '/containers' } : { to: '/containers/$id', params: { id } }),
  })
}
