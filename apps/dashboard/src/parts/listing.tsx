import { Button, Drawer, Stack } from '@mantine/core'
import { type UseQueryResult, useQueryClient } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { type ReactNode, useState } from 'react'
import { ConfirmDialog } from './dialogs.tsx'
import { Empty } from './empty.tsx'
import { type Fact, Facts } from './facts.tsx'
import { Failure } from './failure.tsx'
import type { PlaceSearch } from './place-search.ts'
import { type Column, ListTable } from './table.tsx'

/** What can be done to a row: at once, after a question, or with a form. */
export interface Deed<T> {
  readonly label: string
  readonly isDangerous?: boolean
  readonly isPossible?: (row: T) => boolean
  /** The dialog that asks for more; else `act` is done. */
  readonly form?: (row: T, close: () => void) => ReactNode
  readonly act?: (row: T) => Promise<unknown>
  /** Asked before `act`. */
  readonly question?: (row: T) => ReactNode
}

export interface ListingProps<T> {
  /** `volume`; what lists are keyed by. */
  readonly noun: string
  /** As people call one; `noun` unless told. */
  readonly called?: string
  readonly plural?: string
  readonly query: UseQueryResult<readonly T[]>
  readonly columns: readonly Column<T>[]
  readonly nameOf: (row: T) => string
  readonly factsOf?: (row: T) => readonly Fact[]
  /** Shown below the facts, when one row is open. */
  readonly more?: (row: T) => ReactNode
  readonly deeds?: readonly Deed<T>[]
  /** What they are good for, and how to begin. */
  readonly about: ReactNode
  readonly create?: { readonly label: string; readonly form: (close: () => void) => ReactNode }
  /** Further lists that change with these. */
  readonly touches?: readonly string[]
}

/** All objects of one kind: list, create, inspect, and what can be done to each. The open one is in the address. */
export function Listing<T extends { readonly id: string }>(props: ListingProps<T>) {
  const { noun, called = noun, plural = `${called}s`, query, columns, nameOf, deeds = [], about, create } = props
  const [dialog, setDialog] = useState<ReactNode>(null)
  const [problem, setProblem] = useState<{ readonly what: string; readonly error: Error } | null>(null)
  const client = useQueryClient()
  const [opened, open] = useOpened()
  const close = () => setDialog(null)
  const nouns = [noun, ...(props.touches ?? [])]
  const doAtOnce = async (deed: Deed<T>, row: T) => {
    setProblem(null)
    try {
      await deed.act?.(row)
      await Promise.all(nouns.map((each) => client.invalidateQueries({ queryKey: [each] })))
    } catch (error) {
      if (error instanceof Error) setProblem({ what: `${deed.label} of ${nameOf(row)} failed`, error })
    }
  }
  const begin = (deed: Deed<T>, row: T) => {
    if (deed.form) setDialog(deed.form(row, close))
    else if (deed.question) setDialog(<Question {...{ deed, row, nouns, name: nameOf(row), onClose: close }} />)
    else void doAtOnce(deed, row)
  }
  const createButton = create && <Button onClick={() => setDialog(create.form(close))}>{create.label}</Button>
  const row = query.data?.find(({ id }) => id === opened)
  return (
    <Stack>
      {createButton && (query.data?.length ?? 0) > 0 && <div>{createButton}</div>}
      {problem && <Failure {...problem} />}
      <ListTable
        noun={plural}
        one={called}
        rows={query.data}
        error={query.error}
        onRetry={() => void query.refetch()}
        columns={columns}
        idOf={({ id }) => id}
        nameOf={nameOf}
        {...(props.factsOf && { onOpen: ({ id }: T) => open(id) })}
        {...(deeds.length > 0 && {
          actionsOf: (each: T) =>
            deeds.map((deed) => ({
              label: deed.label,
              isDangerous: deed.isDangerous === true,
              isDisabled: deed.isPossible?.(each) === false,
              onClick: () => begin(deed, each),
            })),
        })}
        empty={
          <Empty title={`No ${plural} yet`} action={createButton}>
            {about}
          </Empty>
        }
      />
      <Drawer
        opened={row !== undefined}
        onClose={() => open(undefined)}
        position="right"
        size="lg"
        title={row ? nameOf(row) : ''}
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        {row && (
          <Stack>
            <Facts facts={props.factsOf?.(row) ?? []} />
            {props.more?.(row)}
          </Stack>
        )}
      </Drawer>
      {dialog}
    </Stack>
  )
}

interface QuestionProps<T> {
  readonly deed: Deed<T>
  readonly row: T
  readonly name: string
  readonly nouns: readonly string[]
  readonly onClose: () => void
}

function Question<T>({ deed, row, name, nouns, onClose }: QuestionProps<T>) {
  return (
    <ConfirmDialog
      title={`${deed.label}: ${name}`}
      verb={deed.label}
      nouns={nouns}
      onClose={onClose}
      onConfirm={async () => deed.act?.(row)}
    >
      {deed.question?.(row)}
    </ConfirmDialog>
  )
}

function useOpened(): [string | undefined, (id: string | undefined) => void] {
  const { open } = useSearch({ strict: false })
  const navigate = useNavigate()
  const set = (id: string | undefined) =>
    void navigate({
      to: '.',
      search: (search: PlaceSearch) => ({
        ...(search.tab !== undefined && { tab: search.tab }),
        ...(id !== undefined && { open: id }),
      }),
    })
  return [typeof open === 'string' ? open : undefined, set]
}
