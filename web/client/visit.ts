import type { Visit, VisitOptions } from './api';

export function createVisit(options: VisitOptions = {}): Visit {
  throw new Error(`under construction ${String(options.handle)}`);
}
