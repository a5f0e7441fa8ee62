/** A question of an operator, and how Prometheus answers it. */
export interface Query {
  readonly asks: string;
  /** In PromQL. */
  readonly promql: string;
}

/** The questions that an operator asks; the time in brackets is for the reader to choose. */
export const QUERIES: readonly Query[] = [
  {
    asks: 'Which workers do not take requests, and in which state are they?',
    promql: 'tsworker_state{state!="serving"} == 1',
  },
  {
    asks: 'How many requests succeed in a second?',
    promql: 'sum(rate(tsworker_requests_total{outcome="succeeded"}[5m]))',
  },
  {
    asks: 'How many requests came to each end in the last hour?',
    promql: 'sum by (outcome) (increase(tsworker_requests_total[1h]))',
  },
  {
    asks: 'How many have come to each end since the worker began?',
    promql: 'sum by (outcome) (tsworker_requests_total)',
  },
  {
    asks: 'Which share of the requests fails for the sake of the model?',
    promql: 'sum(tsworker_requests_total{outcome="errored"}) / sum(tsworker_requests_total)',
  },
  {
    asks: 'Which share of the work that came in is done?',
    promql: 'sum(tsworker_workload_served_total) / sum(tsworker_workload_received_total)',
  },
  {
    asks: 'How much work is refused, by route?',
    promql: 'sum by (route) (tsworker_workload_rejected_total)',
  },
  { asks: 'How many requests are in the worker?', promql: 'sum(tsworker_requests_in_flight)' },
  { asks: 'How many of them wait for their turn?', promql: 'sum(tsworker_requests_queued)' },
  {
    asks: 'How many seconds of work wait? Over some, another worker is wanted.',
    promql: 'tsworker_workload_pending / (tsworker_max_perf > 0)',
  },
  {
    asks: 'How long do 95 of 100 requests take?',
    promql: 'histogram_quantile(0.95, sum by (le) (rate(tsworker_request_duration_seconds_bucket[5m])))',
  },
  {
    asks: 'How long until the first byte, for half of the requests of each route?',
    promql:
      'histogram_quantile(0.5, sum by (le, route) (rate(tsworker_request_first_byte_seconds_bucket[5m])))',
  },
  {
    asks: 'How long do requests wait for their turn, on average?',
    promql: 'sum(tsworker_request_queue_seconds_sum) / sum(tsworker_request_queue_seconds_count)',
  },
  { asks: 'How many bytes did clients get?', promql: 'sum(tsworker_response_bytes_total)' },
  { asks: 'What are clients refused for?', promql: 'sum by (code) (tsworker_errors_told_total)' },
  {
    asks: 'Is the autoscaler told? (alert: over a minute)',
    promql: 'tsworker_report_acknowledged_age_seconds > 60',
  },
  {
    asks: 'Which share of the reports fails?',
    promql: 'tsworker_report_failures_total / (tsworker_report_attempts_total > 0)',
  },
  { asks: 'Does the model crash? (alert)', promql: 'increase(tsworker_model_restarts_total[1h]) > 0' },
  { asks: 'Is the worker itself too busy? (alert)', promql: 'tsworker_event_loop_lag_p99_seconds > 0.1' },
];
