"""Seconds as people write them."""


def duration(seconds: float) -> str:
    """Seconds, minutes and hours, as many as matter.

    Example:
        >>> duration(3.21), duration(97), duration(4000)
        ('3.2 s', '1 min 37 s', '1 h 6 min')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
