"""Lambda on one machine: the Invoke API in front of real `awslambdaric` processes.

        lambda.yaml -> functions_file -> settings
        HTTP -> http_server -> invoke_api (sigv4, fault) -> function (who runs it) -> environment (one process)
                                                                        environment <- runtime_api <- awslambdaric
        outcome: what an invocation came to, travels back the same way

Everything runs in one thread on one event loop, with callbacks instead of tasks on the path of an invocation; so state
changes are serialised without locks, and a warm invocation costs three socket reads and three writes.
"""
