import type { ComponentChildren } from 'preact';
import { Icon } from './Icon';
import type { IconName } from './icons';

type Kind = 'info' | 'warning' | 'danger' | 'success';

const icon: Record<Kind, IconName> = {
  info: 'info',
  warning: 'warning',
  danger: 'danger',
  success: 'ok',
};

interface Props {
  kind?: Kind;
  children: ComponentChildren;
  /** tells a screen reader: `status` when it is free, `alert` at once */
  role?: 'status' | 'alert';
  test?: string;
  code?: string;
}

export function Notice({ kind = 'info', children, role, test, code }: Props) {
  return (
    <div class={`notice ${kind}`} role={role} data-testid={test} data-code={code}>
      <Icon name={icon[kind]} />
      <div class="stack tight">{children}</div>
    </div>
  );
}
