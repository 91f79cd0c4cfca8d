import { Button, Group, Stack, Text } from '@mantine/core'
import { Dialog } from './dialog.tsx'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import type { FormEvent, ReactNode } from 'react'
import { Failure } from './failure.tsx'

interface ActProps {
  readonly title: string
  /** `Create`, `Delete`. */
  readonly verb: string
  /** First words of the keys of lists that are read again once it is done: what no event tells of. */
  readonly nouns: readonly string[]
  readonly onClose: () => void
}

interface FormDialogProps extends ActProps {
  /** What is sent; what it throws is shown, and the form stays open. */
  readonly onSubmit: (form: FormData) => Promise<unknown>
  readonly children: ReactNode
}

/** A few fields and what they are for. */
export function FormDialog({ title, verb, nouns, onClose, onSubmit, children }: FormDialogProps) {
  const acting = useAct(nouns, onClose, onSubmit)
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    acting.mutate(new FormData(event.currentTarget))
  }
  return (
    <Dialog title={title} onClose={onClose} size="md">
      <form onSubmit={submit}>
        <Stack>
          {children}
          {acting.error && <Failure error={acting.error} what="That did not work" />}
          <Buttons verb={verb} isPending={acting.isPending} onClose={onClose} type="submit" />
        </Stack>
      </form>
    </Dialog>
  )
}

interface ConfirmDialogProps extends ActProps {
  readonly onConfirm: () => Promise<unknown>
  readonly children: ReactNode
}

/** Asks once more before something that cannot be undone. */
export function ConfirmDialog({ title, verb, nouns, onClose, onConfirm, children }: ConfirmDialogProps) {
  const acting = useAct(nouns, onClose, onConfirm)
  return (
    <Dialog title={title} onClose={onClose} size="md">
      <Stack>
        <Text component="div" size="sm" style={{ overflowWrap: 'anywhere' }}>
          {children}
        </Text>
        {acting.error && <Failure error={acting.error} what="That did not work" />}
        <Buttons
          verb={verb}
          isPending={acting.isPending}
          onClose={onClose}
          color="red.8"
          onClick={() => acting.mutate(undefined)}
        />
      </Stack>
    </Dialog>
  )
}

/** Does something, has the lists of `nouns` read again, and closes. */
export function useAct<T>(nouns: readonly string[], onDone: () => void, act: (input: T) => Promise<unknown>) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: act,
    onSuccess: async () => {
      await Promise.all(nouns.map((noun) => client.invalidateQueries({ queryKey: [noun] })))
      onDone()
    },
  })
}

interface ButtonsProps {
  readonly verb: string
  readonly isPending: boolean
  readonly onClose: () => void
  readonly color?: string
  readonly type?: 'submit'
  readonly onClick?: () => void
}

function Buttons({ verb, isPending, onClose, ...button }: ButtonsProps) {
  return (
    <Group justify="flex-end">
      <Button variant="default" onClick={onClose} {...(button.color !== undefined && { 'data-autofocus': true })}>
        Cancel
      </Button>
      <Button loading={isPending} {...button}>
        {verb}
      </Button>
    </Group>
  )
}

/** The text of a field without blanks around it; undefined if it is empty. */
export function textOf(form: FormData, name: string): string | undefined {
  const value = form.get(name)
  const text = typeof value === 'string' ? value.trim() : ''
  return text === '' ? undefined : text
}

/** The words of a field that takes several, with commas or blanks between them. */
export function wordsOf(form: FormData, name: string): string[] {
  return (textOf(form, name) ?? '').split(/[\s,]+/).filter((word) => word !== '')
}

export function numberOf(form: FormData, name: string): number | undefined {
  const text = textOf(form, name)
  return text === undefined ? undefined : Number(text)
}
