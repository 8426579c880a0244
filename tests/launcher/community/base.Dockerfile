# As the images that algorithms of this community begin with: a slim Debian, Python and the tools, by pip.
ARG BASE=fairnode/base:bookworm
FROM ${BASE}
COPY packages /usr/local/lib/python3.11/dist-packages
RUN ln -s /usr/bin/python3 /usr/local/bin/python && \
    printf '#!/bin/sh\nexec python3 -m pip "$@"\n' >/usr/local/bin/pip && chmod 755 /usr/local/bin/pip
ENV PIP_NO_INDEX=1 PIP_NO_BUILD_ISOLATION=0 PIP_BREAK_SYSTEM_PACKAGES=1 PIP_ROOT_USER_ACTION=ignore
