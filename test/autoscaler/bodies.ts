/** Bodies of `POST /worker_status/` as workers send them. */

export const TOKEN = 'a-token-of-the-worker';

export const loaded = (id = 1) => ({ id, mtoken: TOKEN, loadtime: 0.5, max_perf: 2 });

export const update = (id = 1, cur_load = 1, num_requests_recieved = 10) => ({
  id,
  mtoken: TOKEN,
  cur_load,
  num_requests_recieved,
});

export const failed = (id = 1, error_msg = 'out of memory') => ({ id, mtoken: TOKEN, error_msg });

export const loading = (id = 1) => ({
  id,
  mtoken: TOKEN,
  message: 'loading update',
  disk_usage: 41.5,
  additional_disk_usage: 1.5,
});

export const data = (id = 1, fields: Record<string, unknown> = {}) => ({
  id,
  mtoken: TOKEN,
  message: 'data update',
  loadtime: 30,
  max_perf: 100,
  cur_load: 512,
  num_requests_recieved: 9,
  ...fields,
});

export const status = (id: number | string = 1, fields: Record<string, unknown> = {}) => ({
  id,
  mtoken: TOKEN,
  version: '1.1.0',
  loadtime: 84.25,
  new_load: 512,
  cur_load: 768,
  rej_load: 16,
  max_perf: 1450.5,
  cur_perf: 256,
  error_msg: '',
  num_requests_working: 2,
  num_requests_recieved: 1204,
  additional_disk_usage: 0,
  working_request_idxs: [1001, 1002],
  cur_capacity: 0,
  max_capacity: 0,
  url: 'http://203.0.113.7:41234',
  ...fields,
});

/** A body of `POST /delete_requests/` in the newest form. */
export const finished = (worker_id: number, ...requests: Record<string, unknown>[]) => ({
  worker_id,
  mtoken: TOKEN,
  requests: requests.map((fields) => ({
    request_idx: 1,
    success: true,
    status: 'Success',
    entered_queue_at: 1795497950.3,
    work_started_at: 1795497950.4,
    work_completed_at: 1795497951.9,
    ...fields,
  })),
});

/** The same in the older form. */
export const finishedBefore = (worker_id: number, success: boolean, ...request_idxs: number[]) => ({
  worker_id,
  mtoken: TOKEN,
  request_idxs,
  success,
});
